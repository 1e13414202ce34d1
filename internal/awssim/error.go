package awssim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// An apiError is a refusal in the words of the service.
type apiError struct {
	status  int
	code    string
	message string
	more    []byte // further JSON members of the body, with a leading comma
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func fail(status int, code, format string, args ...any) error {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return fail(400, "ValidationException", format, args...)
}

// err is the refusal that a fault asks for, with the status that AWS gives the code.
func (f Fault) err(service string) error {
	status, code := f.Status, f.Code
	if code == "" {
		switch {
		case service == "s3" && status >= 500:
			code = map[int]string{503: "SlowDown"}[status]
		case status == 409:
			code = "ConditionalRequestConflict"
		case status == 403:
			code = "AccessDenied"
		case status < 500:
			code = "ValidationException"
		}
		if code == "" {
			code = "InternalServerError"
			if service == "s3" {
				code = "InternalError"
			}
		}
	}
	if status == 0 {
		switch code {
		case "InternalServerError", "InternalError", "InternalFailure":
			status = 500
		case "SlowDown", "ServiceUnavailable":
			status = 503
		case "AccessDenied":
			status = 403
		case "ConditionalRequestConflict", "OperationAborted":
			status = 409
		case "PreconditionFailed":
			status = 412
		case "NoSuchKey", "NoSuchBucket":
			status = 404
		default:
			status = 400
		}
	}
	message := f.Message
	if message == "" {
		message = "injected " + code
	}
	return fail(status, code, "%s", message)
}

// failure puts an error into the shape of the call's service.
func failure(call *Call, err error) reply {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{status: 500, code: "InternalServerError", message: err.Error()}
	}
	switch call.Service {
	case "s3":
		return failureS3(call, e)
	case "sts":
		body := fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", e.code, xmlText(e.message))
		return reply{status: e.status, body: []byte(body)}
	}
	b := append([]byte(`{"__type":"`), prefixOf(e.code)...)
	b = append(b, e.code...)
	b = append(b, `","`...)
	if e.code == "TransactionCanceledException" {
		b = append(b, `Message":`...)
	} else {
		b = append(b, `message":`...)
	}
	b = appendString(b, e.message)
	b = append(b, e.more...)
	b = append(b, '}')
	return reply{status: e.status, header: http.Header{}, body: b}
}

// prefixOf is the namespace that AWS puts before a code in __type.
func prefixOf(code string) string {
	switch code {
	case "ValidationException":
		return "com.amazon.coral.validate#"
	case "ThrottlingException":
		return "com.amazon.coral.availability#"
	case "AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException",
		"SerializationException", "UnknownOperationException", "IncompleteSignatureException":
		return "com.amazon.coral.service#"
	}
	return "com.amazonaws.dynamodb.v20120810#"
}

func xmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "\n", "&#xA;", "\r", "&#xD;", "\t", "&#x9;").Replace(s)
}

// splitmix64 of both: a hash for choices that may not depend on arrival order.
func mix(a, b uint64) uint64 {
	x := a ^ b*0x9e3779b97f4a7c15
	for range 2 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}
