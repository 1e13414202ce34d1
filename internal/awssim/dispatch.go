package awssim

import (
	"fmt"
	"strings"
)

// applyJSON runs an operation of DynamoDB or of its streams and returns the body.
func (c *Cloud) applyJSON(call *Call) ([]byte, error) {
	ops := map[string]func(*Call) ([]byte, error){
		"dynamodb.BatchGetItem":              c.batchGetItem,
		"dynamodb.BatchWriteItem":            c.batchWriteItem,
		"dynamodb.CreateTable":               c.createTable,
		"dynamodb.DeleteItem":                c.deleteItem,
		"dynamodb.DeleteTable":               c.deleteTable,
		"dynamodb.DescribeContinuousBackups": c.describeContinuousBackups,
		"dynamodb.DescribeTable":             c.describeTable,
		"dynamodb.DescribeTimeToLive":        c.describeTimeToLive,
		"dynamodb.GetItem":                   c.getItem,
		"dynamodb.ListTables":                c.listTables,
		"dynamodb.PutItem":                   c.putItem,
		"dynamodb.Query":                     c.query,
		"dynamodb.Scan":                      c.scan,
		"dynamodb.TransactWriteItems":        c.transactWriteItems,
		"dynamodb.UpdateItem":                c.updateItem,
		"dynamodb.UpdateTable":               c.updateTable,
		"dynamodb.UpdateTimeToLive":          c.updateTimeToLive,
		"streams.DescribeStream":             c.describeStream,
		"streams.GetRecords":                 c.getRecords,
		"streams.GetShardIterator":           c.getShardIterator,
		"streams.ListStreams":                c.listStreams,
	}
	op := ops[call.Service+"."+call.Operation]
	if op == nil {
		return nil, fail(400, "UnknownOperationException", "the simulator does not do %s", call.Operation)
	}
	for _, legacy := range []string{"Expected", "AttributeUpdates", "KeyConditions", "QueryFilter", "ScanFilter", "ConditionalOperator", "AttributesToGet"} {
		if call.in.get(legacy).there() {
			return nil, invalid("the simulator does not know the legacy parameter %s", legacy)
		}
	}
	return op(call)
}

// checkRegion refuses what was signed for another region: its tables are not here.
func (c *Cloud) checkRegion(call *Call) error {
	_, scope, ok := strings.Cut(call.header.Get("Authorization"), "Credential=")
	if !ok {
		return nil
	}
	parts := strings.SplitN(scope, "/", 5)
	if len(parts) < 5 || parts[2] == c.cfg.Region || call.Service == "sts" {
		return nil
	}
	if call.Service == "s3" {
		return fail(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region '%s' is wrong; expecting '%s'", parts[2], c.cfg.Region)
	}
	return fail(400, "ResourceNotFoundException", "Requested resource not found")
}

// applySTS answers who the caller is.
func (c *Cloud) applySTS(call *Call) reply {
	if call.Operation != "GetCallerIdentity" {
		return failure(call, fail(400, "InvalidAction", "the simulator does not do %s", call.Operation))
	}
	body := fmt.Sprintf(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
		`<Arn>arn:aws:iam::%s:user/awssim</Arn><UserId>AIDAWSSIM</UserId><Account>%s</Account>`+
		`</GetCallerIdentityResult></GetCallerIdentityResponse>`, c.cfg.Account, c.cfg.Account)
	return reply{status: 200, body: []byte(body)}
}
