// Package bot joins pion peers to a room: members with a camera that shows a
// clip, who answer what is written to them over the data channel. With them one
// person can try a call.
//
// Start with Run. A bot connects to everyone but other bots, has as many
// connections as there are others, and is a client like any: it comes back when
// it loses its socket, and stays away when it is kicked.
//
// It promises that all that it started has ended when Run returns. It keeps
// nothing of what others send.
package bot
