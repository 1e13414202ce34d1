package awssim

import (
	"fmt"
	"strings"
)

// operations are those that answer in JSON, by service and name.
var operations = map[string]func(*Cloud, *Call) ([]byte, error){
	"dynamodb.BatchGetItem":              (*Cloud).batchGetItem,
	"dynamodb.BatchWriteItem":            (*Cloud).batchWriteItem,
	"dynamodb.CreateTable":               (*Cloud).createTable,
	"dynamodb.DeleteItem":                (*Cloud).deleteItem,
	"dynamodb.DeleteTable":               (*Cloud).deleteTable,
	"dynamodb.DescribeContinuousBackups": (*Cloud).describeContinuousBackups,
	"dynamodb.DescribeExport":            (*Cloud).describeExport,
	"dynamodb.DescribeTable":             (*Cloud).describeTable,
	"dynamodb.DescribeTimeToLive":        (*Cloud).describeTimeToLive,
	"dynamodb.ExportTableToPointInTime":  (*Cloud).exportTableToPointInTime,
	"dynamodb.GetItem":                   (*Cloud).getItem,
	"dynamodb.ListExports":               (*Cloud).listExports,
	"dynamodb.ListTables":                (*Cloud).listTables,
	"dynamodb.PutItem":                   (*Cloud).putItem,
	"dynamodb.Query":                     (*Cloud).query,
	"dynamodb.Scan":                      (*Cloud).scan,
	"dynamodb.TransactWriteItems":        (*Cloud).transactWriteItems,
	"dynamodb.UpdateContinuousBackups":   (*Cloud).updateContinuousBackups,
	"dynamodb.UpdateItem":                (*Cloud).updateItem,
	"dynamodb.UpdateTable":               (*Cloud).updateTable,
	"dynamodb.UpdateTimeToLive":          (*Cloud).updateTimeToLive,
	"streams.DescribeStream":             (*Cloud).describeStream,
	"streams.GetRecords":                 (*Cloud).getRecords,
	"streams.GetShardIterator":           (*Cloud).getShardIterator,
	"streams.ListStreams":                (*Cloud).listStreams,
}

// legacyParameters are older than expressions.
var legacyParameters = []string{"Expected", "AttributeUpdates", "KeyConditions", "QueryFilter", "ScanFilter", "ConditionalOperator", "AttributesToGet"}

// applyJSON runs an operation of DynamoDB or of its streams and returns the body.
func (c *Cloud) applyJSON(call *Call) ([]byte, error) {
	op := operations[call.Service+"."+call.Operation]
	if op == nil {
		return nil, fail(400, "UnknownOperationException", "the simulator does not do %s", call.Operation)
	}
	for _, legacy := range legacyParameters {
		if call.in.get(legacy).there() {
			return nil, invalid("the simulator does not know the legacy parameter %s", legacy)
		}
	}
	return op(c, call)
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
