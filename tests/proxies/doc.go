// Package proxies runs the snippets of docs/operations.md: each proxy stands before
// two edges, with the text that readers copy.
package proxies
