package embednats

import "github.com/nats-io/nats-server/v2/server"

// Version is the version of the server.
const Version = server.VERSION
