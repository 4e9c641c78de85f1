// Package store is all that roomsvc does with JetStream: it makes the buckets
// of the whole of Parley, and reads, writes and watches those of rooms,
// members, leases and apps.
//
// Start with Ensure (the buckets) and Store (their values). It promises that a
// write is never taken for failed when it may have been stored, that reads are
// answered by the leader, and that an existing signal log is never cut into
// another number of shards. It decides nothing about rooms.
package store
