package objects_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/relay"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

// engine stands in for DynamoDB: it knows one table, and insists on its own key.
type engine struct {
	t    *testing.T
	mu   sync.Mutex
	seen []string // operations, but DescribeTable
}

var engineKey = identity.AccessKey{ID: "ENGINE", Secret: "its own secret", Active: true}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	claim, err := sigv4.Read(r)
	if err == nil {
		err = sigv4.NewVerifier().Verify(r, claim, &engineKey, sigv4.Hash(body), time.Now())
	}
	if err != nil || r.Header.Get("X-Amz-Security-Token") != "" || r.Header.Get("Cookie") != "" {
		e.t.Errorf("the engine got %v, %v", err, r.Header)
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	var asked struct{ TableName string }
	_ = json.Unmarshal(body, &asked)
	switch {
	case asked.TableName != "" && !strings.HasSuffix(asked.TableName, "Games"):
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`)
		return
	case operation == "DescribeTable":
		io.WriteString(w, `{"Table":{"TableName":"Games","KeySchema":[{"AttributeName":"player","KeyType":"HASH"},{"AttributeName":"game","KeyType":"RANGE"}],
			"GlobalSecondaryIndexes":[{"IndexName":"by-level","KeySchema":[{"AttributeName":"level","KeyType":"HASH"}]}]}}`)
		return
	case operation == "GetItem":
		io.WriteString(w, `{"Item":{"player":{"S":"ann"},"score":{"N":"7"}}}`)
	default:
		io.WriteString(w, `{}`)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, operation)
}

func startEngine(t *testing.T) (*house, *engine, *dynamodb.Client) {
	t.Helper()
	e := &engine{t: t}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	address := must[*url.URL](t)(url.Parse(server.URL))
	h := &house{rules: &rules{}}
	h.Server = gatewaytest.Start(t, func(store.Store) []gateway.Offer { return nil }, func(o *gateway.Options) {
		o.Fronts = map[string]gateway.Front{"dynamodb": relay.New(relay.Engine{Service: "dynamodb", URL: address, Keys: sigv4.Keys{ID: engineKey.ID, Secret: engineKey.Secret}},
			h.rules, slog.New(slog.DiscardHandler))}
	})
	return h, e, dynamodb.NewFromConfig(h.Config(h.Root))
}

const (
	table = "arn:aws:dynamodb:eu-central-1:123456789012:table/"
	games = table + "Games"
)

func item(player string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"player": &types.AttributeValueMemberS{Value: player}, "game": &types.AttributeValueMemberS{Value: "chess"}}
}

func TestItemsGoThroughTheGateway(t *testing.T) {
	h, e, c := startEngine(t)
	out := must[*dynamodb.GetItemOutput](t)(c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("Games"), Key: item("ann")}))
	if out.Item["score"].(*types.AttributeValueMemberN).Value != "7" || !slices.Equal(e.seen, []string{"GetItem"}) {
		t.Errorf("%+v, %v", out.Item, e.seen)
	}
	_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("Nobody"), Key: item("ann")})
	refused(t, err, "ResourceNotFoundException", "Requested resource not found")
	until(t, func() error { // what is relayed is noted when it is through
		lines := h.Audit.All()
		last := lines[len(lines)-1]
		if !strings.Contains(last, `"eventName":"GetItem"`) || !strings.Contains(last, table+"Nobody") || !strings.Contains(last, `"httpStatus":400`) {
			return fmt.Errorf("audit %s", last)
		}
		return nil
	})
}

func TestWhatDynamoDBNeeds(t *testing.T) {
	h, _, c := startEngine(t)
	ctx := t.Context()
	player := func(v string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: v}}
	}
	for what, c2 := range map[string]struct {
		call func() error
		want []string // action, resource, leading keys, attributes
	}{
		"get": {func() error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("Games"), Key: item("ann"), ProjectionExpression: aws.String("#s, a.b[1]"), ExpressionAttributeNames: map[string]string{"#s": "score"}})
			return err
		}, []string{"dynamodb:GetItem " + games + " [ann] [a game player score]"}},
		"get by ARN": {func() error {
			_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(games), Key: item("ann")})
			return err
		}, []string{"dynamodb:GetItem " + games + " [ann] [game player]"}},
		"update": {func() error {
			_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String("Games"), Key: item("ann"), UpdateExpression: aws.String("SET score = if_not_exists(score, :p), best=:p REMOVE worst"), ExpressionAttributeValues: player("x")})
			return err
		}, []string{"dynamodb:UpdateItem " + games + " [ann] [best game player score worst]"}},
		"query": {func() error {
			_, err := c.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("Games"), KeyConditionExpression: aws.String("#p = :p AND begins_with(game, :p)"), ExpressionAttributeNames: map[string]string{"#p": "player"}, ExpressionAttributeValues: player("ann")})
			return err
		}, []string{"dynamodb:Query " + games + " [ann] [game player]"}},
		"query an index": {func() error {
			_, err := c.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("Games"), IndexName: aws.String("by-level"), KeyConditionExpression: aws.String("level = :p"), ExpressionAttributeValues: player("9")})
			return err
		}, []string{"dynamodb:Query " + games + "/index/by-level [9] [level]"}},
		"scan": {func() error { _, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("Games")}); return err },
			[]string{"dynamodb:Scan " + games + " [] []"}},
		"batch": {func() error {
			_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
				"Games": {{PutRequest: &types.PutRequest{Item: item("ann")}}, {DeleteRequest: &types.DeleteRequest{Key: item("bob")}}},
				"Other": {{DeleteRequest: &types.DeleteRequest{Key: item("cid")}}},
			}})
			return err
		}, []string{"dynamodb:BatchWriteItem " + games + " [ann bob] [game player]", "dynamodb:BatchWriteItem " + table + "Other [] [game player]"}},
		"transaction": {func() error {
			_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: aws.String("Games"), Item: item("ann")}},
				{ConditionCheck: &types.ConditionCheck{TableName: aws.String("Games"), Key: item("bob"), ConditionExpression: aws.String("attribute_exists(score)")}},
			}})
			return err
		}, []string{"dynamodb:PutItem " + games + " [ann] [game player]", "dynamodb:ConditionCheckItem " + games + " [bob] [game player score]"}},
		"statement": {func() error {
			_, err := c.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String("SELECT * FROM Games")})
			return err
		}, []string{"dynamodb:PartiQLSelect " + table + "* [] []", "dynamodb:PartiQLInsert " + table + "* [] []", "dynamodb:PartiQLUpdate " + table + "* [] []", "dynamodb:PartiQLDelete " + table + "* [] []"}},
		"list": {func() error { _, err := c.ListTables(ctx, nil); return err }, []string{"dynamodb:ListTables  [] []"}},
	} {
		t.Run(what, func(t *testing.T) {
			h.rules.mu.Lock()
			h.rules.asked = nil
			h.rules.mu.Unlock()
			if err := c2.call(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, need := range h.rules.asked {
				got = append(got, strings.Join([]string{need.Action, strings.Join(need.Resources, " "),
					"[" + strings.Join(need.Keys["dynamodb:LeadingKeys"], " ") + "]", "[" + strings.Join(need.Keys["dynamodb:Attributes"], " ") + "]"}, " "))
			}
			if !slices.Equal(got, c2.want) {
				t.Errorf("needs %q\nwant  %q", got, c2.want)
			}
		})
	}
}

func TestTheEngineSeesOnlyWhatIsAllowed(t *testing.T) {
	h, e, c := startEngine(t)
	h.rules.only("dynamodb:GetItem "+games, "dynamodb:Query "+games)
	ctx := t.Context()
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Games"), Item: item("ann")})
	refused(t, err, "AccessDeniedException", "dynamodb:PutItem on resource: \""+games+"\"")
	_, err = c.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("Games"), KeyConditionExpression: aws.String("game = :p"), ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: "x"}}})
	refused(t, err, "ValidationException", "Query condition missed key schema element: player")
	_, err = c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("arn:aws:dynamodb:eu-central-1:999999999999:table/Games"), Key: item("ann")})
	refused(t, err, "AccessDeniedException", "no resource-based policy")
	if status, text := h.ask(t, `{"TableName":"Games","TableName":"Other","Key":{"player":{"S":"ann"}}}`); status != 400 || !strings.Contains(text, "SerializationException") {
		t.Errorf("a member twice: %d %s", status, text)
	}
	if status, text := h.ask(t, `{"tablename":"Other","Key":{"player":{"S":"ann"}}}`); status != 400 || !strings.Contains(text, "AccessDenied") {
		t.Errorf("a member in another case: %d %s", status, text)
	}
	if e.seen != nil {
		t.Errorf("the engine saw %v", e.seen)
	}
}

// ask sends a GetItem as text.
func (h *house) ask(t *testing.T, body string) (status int, text string) {
	t.Helper()
	r := must[*http.Request](t)(http.NewRequest(http.MethodPost, h.URL, strings.NewReader(body)))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	r.Header.Set("Cookie", "a=b")
	if err := sigv4.Sign(r, []byte(body), sigv4.Keys{ID: h.Root.ID, Secret: h.Root.Secret}, "dynamodb", "eu-central-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	answer := must[*http.Response](t)(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	return answer.StatusCode, string(must[[]byte](t)(io.ReadAll(answer.Body)))
}

func TestWithoutAnEngineItSaysHow(t *testing.T) {
	s := gatewaytest.Start(t, func(store.Store) []gateway.Offer { return nil }, nil)
	_, err := dynamodb.NewFromConfig(s.Config(s.Root)).ListTables(t.Context(), nil)
	refused(t, err, "UnknownOperationException", "berth has no engine for dynamodb. (hint: map one: berth up --engine dynamodb=URL")
}

func TestAnEngineThatIsGone(t *testing.T) {
	h := &house{rules: &rules{}}
	gone := httptest.NewServer(nil)
	address := must[*url.URL](t)(url.Parse(gone.URL))
	gone.Close()
	h.Server = gatewaytest.Start(t, func(store.Store) []gateway.Offer { return nil }, func(o *gateway.Options) {
		o.Fronts = map[string]gateway.Front{"dynamodb": relay.New(relay.Engine{Service: "dynamodb", URL: address}, h.rules, slog.New(slog.DiscardHandler))}
	})
	_, err := dynamodb.NewFromConfig(h.Config(h.Root)).ListTables(t.Context(), nil)
	refused(t, err, "ServiceUnavailableException", "The engine of dynamodb does not answer.")
}
