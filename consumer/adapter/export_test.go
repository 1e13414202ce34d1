package adapter

// AppendBody is what both ways of capture share, for the benchmark of the two.
var AppendBody = appendBody
