package checkpoint

// turn lets one goroutine at a time do something slow. Unlike a mutex it may be
// held over a request: a bubble of synctest sees that the others wait.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take() { t <- struct{}{} }
func (t turn) pass() { <-t }
