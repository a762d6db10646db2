package cli

func (f *metaFlags) writePage(a *app, d *metaData, out *metaOut, path string) error { return nil }
