package awssim

import (
	"net/http"
	"net/url"
	"strings"
)

// A Call is one HTTP attempt at one operation.
type Call struct {
	Client    string // who is calling, as named to Client or AWSConfig; "" over real HTTP
	Service   string // dynamodb, streams, s3 or sts
	Operation string // as AWS spells it: PutItem, GetRecords, ListObjectsV2
	Target    string // table; table or table/shard for streams; bucket or bucket/key
	N         int64  // ordinal of this call in the cloud, from 1
	Body      []byte // of the request, undecoded; read only

	method string
	url    *url.URL
	bucket string
	key    string
	header http.Header
	object *object // what a PutObject or UploadPart brings
	in     node    // Body, parsed, when it is JSON
}

// Table is the first part of Target: the table or the bucket.
func (c *Call) Table() string {
	name, _, _ := strings.Cut(c.Target, "/")
	return name
}

// newCall works out which operation a request asks for.
func (c *Cloud) newCall(client string, r *http.Request, body []byte) (*Call, error) {
	call := &Call{Client: client, N: c.calls.Add(1), Body: body, method: r.Method, url: r.URL, header: r.Header}
	target := r.Header.Get("X-Amz-Target")
	api, op, _ := strings.Cut(target, ".")
	switch {
	case api == "DynamoDB_20120810":
		call.Service, call.Operation = "dynamodb", op
	case api == "DynamoDBStreams_20120810":
		call.Service, call.Operation = "streams", op
	case target != "":
		return call, fail(400, "UnknownOperationException", "the simulator does not know %s", target)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		form, _ := url.ParseQuery(string(body))
		call.Service, call.Operation = "sts", form.Get("Action")
		return call, nil
	default:
		call.Service = "s3"
		call.routeS3(r)
		return call, nil
	}
	in, err := parseJSON(body)
	if err != nil {
		return call, fail(400, "SerializationException", "%v", err)
	}
	call.in = in
	call.Target = c.target(call)
	return call, nil
}

// target names the table or shard that a DynamoDB request is about; a batch is
// named after its tables, joined by commas.
func (c *Cloud) target(call *Call) string {
	in := call.in
	if call.Service == "streams" {
		if it := in.get("ShardIterator").text(); it != "" {
			arn, shard := iteratorTarget(it)
			return tableOfARN(arn) + "/" + shard
		}
		t := tableOfARN(in.get("StreamArn").text())
		if shard := in.get("ShardId").text(); shard != "" {
			return t + "/" + shard
		}
		if t == "" {
			return in.get("TableName").text()
		}
		return t
	}
	for _, name := range []string{"TableName", "TableArn", "ExportArn"} {
		if name := in.get(name).text(); name != "" {
			return tableName(name)
		}
	}
	var names []string
	for _, f := range in.get("RequestItems").fields() {
		names = append(names, tableName(f.name))
	}
	for _, entry := range in.get("TransactItems").items() {
		for _, f := range entry.fields() {
			names = append(names, tableName(f.node.get("TableName").text()))
		}
	}
	return joinUnique(names)
}
