package cli

func (f *metaFlags) emitR(a *app, path string) error                                { return nil }
func (f *metaFlags) multiverse(a *app, path string) error                           { return nil }
func (f *metaFlags) writePage(a *app, d *metaData, out *metaOut, path string) error { return nil }
