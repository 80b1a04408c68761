package image

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Policy is a lifecycle policy: rules in order of priority.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
type Policy struct {
	Rules []Rule
}

// Rule selects images and says what becomes of them.
type Rule struct {
	Priority    int       `json:"rulePriority"`
	Description string    `json:"description"`
	Selection   Selection `json:"selection"`
	Action      struct {
		Type               string `json:"type"`
		TargetStorageClass string `json:"targetStorageClass"`
	} `json:"action"`
}

// Selection says which images a rule means, and how many of them or how old ones
// stay.
type Selection struct {
	TagStatus   string   `json:"tagStatus"`
	Prefixes    []string `json:"tagPrefixList"`
	Patterns    []string `json:"tagPatternList"`
	CountType   string   `json:"countType"`
	CountUnit   string   `json:"countUnit"`
	CountNumber int      `json:"countNumber"`
}

// Words of a selection.
const (
	tagged   = "tagged"
	untagged = "untagged"
	anyTag   = "any"

	countMoreThan    = "imageCountMoreThan"
	sincePushed      = "sinceImagePushed"
	sincePulled      = "sinceImagePulled"
	sinceTransition  = "sinceImageTransitioned"
	expireAction     = "expire"
	transitionAction = "transition"
)

// Expiry is an image that a policy ends, and the rule that does.
type Expiry struct {
	Image    Stored
	Priority int
}

// ParsePolicy reads and checks the text of a lifecycle policy. Errors say which
// rule is wrong, and how.
func ParsePolicy(text string) (Policy, error) {
	var read struct{ Rules []Rule }
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		return Policy{}, fmt.Errorf("could not parse the policy: %w", err)
	}
	if len(read.Rules) == 0 {
		return Policy{}, fmt.Errorf("the policy has no rules")
	}
	rules := read.Rules
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return Policy{}, fmt.Errorf("rule with priority %d: %w", rules[i].Priority, err)
		}
		if i > 0 && rules[i-1].Priority == rules[i].Priority {
			return Policy{}, fmt.Errorf("two rules have priority %d", rules[i].Priority)
		}
		if i+1 < len(rules) && rules[i].Selection.TagStatus == anyTag && rules[i].Action.Type == expireAction {
			return Policy{}, fmt.Errorf("rule with priority %d: a rule with tagStatus any must have the lowest priority, which is the greatest number", rules[i].Priority)
		}
	}
	return Policy{Rules: rules}, nil
}

func (r *Rule) check() error {
	s := &r.Selection
	switch {
	case r.Priority < 1:
		return fmt.Errorf("rulePriority must be 1 or more")
	case r.Action.Type != expireAction && r.Action.Type != transitionAction:
		return fmt.Errorf("action type must be expire or transition, not %q", r.Action.Type)
	case s.CountNumber < 1:
		return fmt.Errorf("countNumber must be 1 or more")
	case !slices.Contains([]string{countMoreThan, sincePushed, sincePulled, sinceTransition}, s.CountType):
		return fmt.Errorf("countType %q is not one of imageCountMoreThan, sinceImagePushed, sinceImagePulled, sinceImageTransitioned", s.CountType)
	case s.CountType == countMoreThan && s.CountUnit != "":
		return fmt.Errorf("countUnit cannot be used with countType imageCountMoreThan")
	case s.CountType != countMoreThan && s.CountUnit != "days":
		return fmt.Errorf("countUnit must be days with countType %s", s.CountType)
	}
	return s.checkTags()
}

func (s *Selection) checkTags() error {
	lists := len(s.Prefixes) + len(s.Patterns)
	switch s.TagStatus {
	case tagged:
		if lists == 0 {
			return fmt.Errorf("tagStatus tagged needs a tagPatternList or a tagPrefixList")
		}
		if len(s.Prefixes) > 0 && len(s.Patterns) > 0 {
			return fmt.Errorf("tagPatternList and tagPrefixList cannot both be given")
		}
	case untagged, anyTag:
		if lists > 0 {
			return fmt.Errorf("tagStatus %s cannot have a tagPatternList or tagPrefixList", s.TagStatus)
		}
	default:
		return fmt.Errorf("tagStatus must be tagged, untagged or any, not %q", s.TagStatus)
	}
	for _, p := range s.Patterns {
		if strings.Count(p, "*") > 4 {
			return fmt.Errorf("pattern %q has more than four wildcards", p)
		}
	}
	return nil
}

// Expired lists the images that the policy ends at now, oldest push first. An
// image that a rule's tags select belongs to that rule: none of lower priority
// ends it, though they count it. An image stays while an index that stays names it.
func (p Policy) Expired(images []Stored, now time.Time) []Expiry {
	claimed := map[string]bool{}
	ended := map[string]int{}
	for i := range p.Rules {
		rule := &p.Rules[i]
		selected := rule.Selection.selects(images)
		for _, img := range rule.ends(selected, now) {
			if !claimed[img.Digest] {
				ended[img.Digest] = rule.Priority
			}
		}
		for _, img := range selected {
			claimed[img.Digest] = true
		}
	}
	keepNamed(images, ended)
	var expired []Expiry
	for _, img := range images {
		if priority, ok := ended[img.Digest]; ok {
			expired = append(expired, Expiry{Image: img, Priority: priority})
		}
	}
	slices.SortStableFunc(expired, func(a, b Expiry) int { return a.Image.PushedAt.Compare(b.Image.PushedAt) })
	return expired
}

// keepNamed takes out of ended what an index that stays names, over any number of
// nested indexes.
func keepNamed(images []Stored, ended map[string]int) {
	for changed := true; changed; {
		changed = false
		for _, img := range images {
			if _, ends := ended[img.Digest]; ends {
				continue
			}
			for _, child := range img.Children {
				if _, ends := ended[child]; ends {
					delete(ended, child)
					changed = true
				}
			}
		}
	}
}

func (s *Selection) selects(images []Stored) []Stored {
	var selected []Stored
	for _, img := range images {
		if s.matches(img.Tags) {
			selected = append(selected, img)
		}
	}
	return selected
}

// matches tells whether tags are what the selection wants. Each prefix or pattern
// must be met by some tag.
func (s *Selection) matches(tags []string) bool {
	switch s.TagStatus {
	case anyTag:
		return true
	case untagged:
		return len(tags) == 0
	}
	for _, prefix := range s.Prefixes {
		if !slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return false
		}
	}
	for _, pattern := range s.Patterns {
		if !slices.ContainsFunc(tags, func(tag string) bool { return wildcard(pattern, tag) }) {
			return false
		}
	}
	return true
}

// ends lists which of the selected images the rule would end. When images were
// last pulled or moved is not recorded, so rules that count from then end none.
func (r *Rule) ends(selected []Stored, now time.Time) []Stored {
	if r.Action.Type != expireAction {
		return nil
	}
	switch s := r.Selection; s.CountType {
	case countMoreThan:
		youngest := slices.Clone(selected)
		slices.SortStableFunc(youngest, func(a, b Stored) int { return b.PushedAt.Compare(a.PushedAt) })
		return youngest[min(s.CountNumber, len(youngest)):]
	case sincePushed:
		limit := now.AddDate(0, 0, -s.CountNumber)
		return slices.DeleteFunc(slices.Clone(selected), func(img Stored) bool { return !img.PushedAt.Before(limit) })
	default:
		return nil
	}
}
