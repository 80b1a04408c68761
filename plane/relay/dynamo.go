package relay

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
)

// access is one action on one table, and what of it the request touches.
type access struct {
	action string
	within string // the transaction that has it; empty for none
	table  string // name or ARN
	index  string
	items  []document // keys or whole items
	asked  document   // the part of the request that speaks about the table
}

// dynamoNeeds are the needs of a DynamoDB request.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
func (r *Relay) dynamoNeeds(ctx context.Context, call *gateway.Call, body []byte) ([]gateway.Need, error) {
	d, err := parseDocument(body)
	if err != nil {
		return nil, err
	}
	switch call.Operation {
	case "":
		return nil, fault.New(fault.UnknownOperation, "The request names no operation of DynamoDB.")
	case "ListTables", "DescribeLimits", "DescribeEndpoints", "ListStreams", "ListBackups", "ListExports", "ListImports", "ListContributorInsights", "ListGlobalTables":
		return []gateway.Need{{Action: "dynamodb:" + call.Operation}}, nil
	case "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return statementNeeds(call), nil
	case "GetRecords": // the iterator says which stream, to the engine alone
		return []gateway.Need{{Action: "dynamodb:GetRecords", Resources: []string{call.Scope.Of("dynamodb", "table/*/stream/*")}}}, nil
	case "CreateTable", "DeleteTable", "UpdateTable", "RestoreTableFromBackup", "RestoreTableToPointInTime", "ImportTable":
		r.schemas.forget()
	}
	var needs []gateway.Need
	for _, a := range accesses(call.Operation, d) {
		need, err := r.dynamoNeed(ctx, call, a)
		if err != nil {
			return nil, err
		}
		needs = append(needs, need)
	}
	if needs == nil {
		return []gateway.Need{{Action: "dynamodb:" + call.Operation}}, nil
	}
	return needs, nil
}

// statementNeeds: what a statement of PartiQL touches is not read here, so it needs
// the right to every table.
func statementNeeds(call *gateway.Call) []gateway.Need {
	var needs []gateway.Need
	for _, verb := range []string{"Select", "Insert", "Update", "Delete"} {
		needs = append(needs, gateway.Need{Action: "dynamodb:PartiQL" + verb, Resources: []string{call.Scope.Of("dynamodb", "table/*")}})
	}
	return needs
}

// accesses are the tables that a request touches.
func accesses(operation string, d document) []access {
	switch operation {
	case "BatchGetItem":
		return batches(d, func(table string, part document) access {
			return access{action: operation, table: table, items: part.list("Keys"), asked: part}
		})
	case "BatchWriteItem":
		return writes(d)
	case "TransactGetItems", "TransactWriteItems":
		return transacted(operation, d)
	}
	a := access{action: operation, index: d.text("IndexName"), asked: d}
	for _, name := range []string{"TableName", "TableArn", "ResourceArn", "StreamArn", "SourceTableArn", "SourceTableName", "BackupArn", "ExportArn", "ImportArn", "GlobalTableName", "TargetTableName"} {
		if a.table = d.text(name); a.table != "" {
			break
		}
	}
	for _, name := range []string{"Key", "Item"} {
		if item := d.object(name); item != nil {
			a.items = append(a.items, item)
		}
	}
	if a.table == "" {
		return nil
	}
	return []access{a}
}

func batches(d document, make func(string, document) access) []access {
	var out []access
	requests := d.object("RequestItems")
	for _, table := range slices.Sorted(maps.Keys(requests)) {
		out = append(out, make(table, requests.object(table)))
	}
	return out
}

func writes(d document) []access {
	var out []access
	requests := d.object("RequestItems")
	for _, table := range slices.Sorted(maps.Keys(requests)) {
		a := access{action: "BatchWriteItem", table: table, asked: document{}}
		for _, write := range requests.list(table) {
			if item := write.object("PutRequest").object("Item"); item != nil {
				a.items = append(a.items, item)
			}
			if key := write.object("DeleteRequest").object("Key"); key != nil {
				a.items = append(a.items, key)
			}
		}
		out = append(out, a)
	}
	return out
}

// transacted are the actions within a transaction: each needs its own right.
func transacted(operation string, d document) []access {
	var out []access
	for _, item := range d.list("TransactItems") {
		for part, action := range map[string]string{
			"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
		} {
			if asked := item.object(part); asked != nil {
				a := access{action: action, within: operation, table: asked.text("TableName"), asked: asked}
				for _, name := range []string{"Key", "Item"} {
					if object := asked.object(name); object != nil {
						a.items = append(a.items, object)
					}
				}
				out = append(out, a)
			}
		}
	}
	return out
}

func (r *Relay) dynamoNeed(ctx context.Context, call *gateway.Call, a access) (gateway.Need, error) {
	resource, err := resourceOf(call, a)
	if err != nil {
		return gateway.Need{}, err
	}
	need := gateway.Need{Action: "dynamodb:" + a.action, Resources: []string{resource}, Keys: a.keys()}
	if !reads(a.action) {
		return need, nil
	}
	key, known, err := r.schemas.key(ctx, r, call, a)
	if err != nil || !known {
		return need, err
	}
	values, err := a.leading(key)
	if values != nil {
		need.Keys["dynamodb:LeadingKeys"] = values
	}
	return need, err
}

// reads tells whether an action is about items, which keys bound.
func reads(action string) bool {
	switch action {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "BatchGetItem", "BatchWriteItem", "Query":
		return true
	}
	return false
}

// resourceOf is the ARN of a table or index. Tables have the caller's account and
// region: the engine knows neither.
func resourceOf(call *gateway.Call, a access) (string, error) {
	resource := "table/" + a.table
	if arn.IsARN(a.table) {
		named, err := arn.Parse(a.table)
		if err != nil || named.Service != "dynamodb" || named.Account != call.Scope.Account || named.Region != call.Scope.Region {
			return "", fault.New(fault.AccessDenied, "User: %s is not authorized to perform: dynamodb:%s on resource: %s because no resource-based policy allows the dynamodb:%s action",
				call.Principal.ARN, a.action, a.table, a.action)
		}
		resource = named.Resource
	}
	if strings.ContainsAny(resource, "*?") {
		return "", fault.New(fault.Validation, "TableName must satisfy the regular expression pattern: [a-zA-Z0-9_.-]+")
	}
	if a.index != "" {
		resource += "/index/" + a.index
	}
	return call.Scope.Of("dynamodb", resource), nil
}

// name is the table's.
func (a *access) name() string {
	if !arn.IsARN(a.table) {
		return a.table
	}
	_, rest, _ := strings.Cut(a.table, ":table/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}
