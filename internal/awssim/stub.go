package awssim

import "net/http"

type bucket struct{}

func (c *Call) routeS3(*http.Request)  {}
func (c *Cloud) applyS3(*Call) reply   { return reply{} }
func failureS3(*Call, *apiError) reply { return reply{} }
