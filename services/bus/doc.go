// Package bus is how the services use NATS: connect, serve, request, and read,
// write and watch JetStream key-value buckets.
//
// Start reading at connect.go. What the package promises: connections outlive
// every outage; everything that may be retried is retried until its context
// ends; queues are bounded and drops counted; a compare-and-set is never taken
// for failed when it was stored. It never retries what could apply a change
// twice without the caller's own operation id to recognise it by.
package bus
