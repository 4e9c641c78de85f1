package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/contract"
)

func newRoom() *cobra.Command {
	cmd := group("room", "Look at rooms and change them, as an app's backend does")
	cmd.AddCommand(
		newRoomList(), newRoomShow(), newRoomKick(), newRoomMessage(),
		newRoomChange("lock", "Let nobody else join a room"),
		newRoomChange("unlock", "Let people join a room again"),
		newRoomChange("close", "Take everyone out of a room"),
	)
	return cmd
}

// roomCommand is what all commands about rooms have.
type roomCommand struct {
	apiFlags
	asJSON bool
}

func (c *roomCommand) add(cmd *cobra.Command) *cobra.Command {
	c.apiFlags.add(cmd)
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "print one JSON line")
	return cmd
}

// print prints the value as JSON, or as text does it.
func (c *roomCommand) print(w io.Writer, value any, text func(w io.Writer) error) error {
	if c.asJSON {
		return printJSON(w, value)
	}
	return text(w)
}

// roomArg wants a room's name as the first of so many arguments.
func roomArg(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usage(fmt.Errorf("%s is missing; see %s --help", names[len(args)], cmd.CommandPath()))
		}
		if len(args) > len(names) {
			return usage(fmt.Errorf("%q is not understood; see %s --help", args[len(names)], cmd.CommandPath()))
		}
		if _, err := contract.ParseID(args[0]); err != nil {
			return usage(fmt.Errorf("%s: %w", names[0], err))
		}
		return nil
	}
}

func newRoomList() *cobra.Command {
	var c roomCommand
	return c.add(&cobra.Command{
		Use: "list", Short: "List the rooms that have members", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := c.rooms()
			if err != nil {
				return err
			}
			all := roomsvc.RoomList{Rooms: []roomsvc.RoomSummary{}}
			for after := ""; ; {
				page, err := api.List(cmd.Context(), after, pageRooms)
				if err != nil {
					return err
				}
				all.Rooms = append(all.Rooms, page.Rooms...)
				if after = page.Next; after == "" {
					break
				}
			}
			return c.print(cmd.OutOrStdout(), all, func(w io.Writer) error { return printRooms(w, all.Rooms) })
		},
	})
}

// pageRooms is how many rooms are asked for at once.
const pageRooms = 1000

func newRoomShow() *cobra.Command {
	var c roomCommand
	return c.add(&cobra.Command{
		Use: "show ROOM", Short: "Show a room and its members", Args: roomArg("ROOM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			api, err := c.rooms()
			if err != nil {
				return err
			}
			view, err := api.Show(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.print(cmd.OutOrStdout(), view, func(w io.Writer) error { return printRoom(w, view) })
		},
	})
}

func newRoomKick() *cobra.Command {
	var (
		c              roomCommand
		peer, identity string
	)
	cmd := c.add(&cobra.Command{
		Use: "kick ROOM --peer id | --id identity", Short: "Take a member out of a room", Args: roomArg("ROOM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (peer == "") == (identity == "") {
				return usage(errors.New("give either --peer or --id; parley room show has both"))
			}
			body := map[string]string{"peer": peer}
			if identity != "" {
				body = map[string]string{"identity": identity}
			}
			return c.change(cmd, args[0], "kick", body)
		},
	})
	cmd.Flags().StringVar(&peer, "peer", "", "the peer")
	cmd.Flags().StringVar(&identity, "id", "", "the identity: all of its peers")
	return cmd
}

func newRoomChange(verb, short string) *cobra.Command {
	var c roomCommand
	return c.add(&cobra.Command{
		Use: verb + " ROOM", Short: short, Args: roomArg("ROOM"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.change(cmd, args[0], verb, nil) },
	})
}

func newRoomMessage() *cobra.Command {
	var (
		c      roomCommand
		to, id string
		text   bool
	)
	cmd := c.add(&cobra.Command{
		Use: "message ROOM DATA", Short: "Send a message to the members of a room", Args: roomArg("ROOM", "DATA"),
		Long: "Send a message to the members of a room. DATA that is JSON is sent as it is, any other as text.",
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"data": args[1]}
			if !text && json.Valid([]byte(args[1])) {
				body["data"] = json.RawMessage(args[1])
			}
			for name, value := range map[string]string{"to": to, "id": id} {
				if value != "" {
					body[name] = value
				}
			}
			return c.change(cmd, args[0], "message", body)
		},
	})
	cmd.Flags().StringVar(&to, "to", "", "one peer alone")
	cmd.Flags().StringVar(&id, "id", "", "the message's id, which the members get")
	cmd.Flags().BoolVar(&text, "text", false, "send DATA as text, also if it is JSON")
	return cmd
}

// change asks for a change and says what became of it.
func (c *roomCommand) change(cmd *cobra.Command, room, verb string, body any) error {
	api, err := c.rooms()
	if err != nil {
		return err
	}
	change, err := api.Change(cmd.Context(), room, verb, body)
	if err != nil {
		return err
	}
	return c.print(cmd.OutOrStdout(), change, func(w io.Writer) error { return printChange(w, verb, change) })
}
