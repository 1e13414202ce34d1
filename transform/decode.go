package transform

// Decoder decodes GetRecords bodies of one table. It holds no state between
// pages: any number of goroutines may share it.
type Decoder struct {
	keys KeySchema
}

// NewDecoder returns a decoder for a table with that primary key.
func NewDecoder(keys KeySchema) *Decoder { return &Decoder{keys: keys} }

// Decode reads one answer of GetRecords into p.
func (d *Decoder) Decode(body []byte, p *Page) error {
	p.reset()
	return nil
}
