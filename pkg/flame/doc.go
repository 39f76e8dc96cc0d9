// Package flame reads profiles in the format of pprof, and makes flame graphs of what an app spent for a request. It is pure: it asks nobody
// and writes nothing.
package flame
