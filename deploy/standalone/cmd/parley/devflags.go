package main

import (
	"fmt"
	"strconv"
	"strings"
)

// maxBots is the most bots: each is a WebRTC connection to every member.
const maxBots = 20

// devOptions are what dev takes beside the settings of the sections.
type devOptions struct {
	lan       bool
	readyTime bool
	bots      int
	botsRoom  string
}

// devFlag is one of them, or a short name of a setting.
type devFlag struct {
	name    string
	value   string // what its value is called; empty: it takes none
	help    string
	setting string // the setting that it stands for
	set     func(o *devOptions, text string) error
}

var devFlags = []devFlag{
	{name: "--edges", value: "1..8", help: "how many edges (2)", setting: "standalone.edges"},
	{name: "--nats-listen", value: "host:port", help: "where NATS clients may connect (nowhere)", setting: "standalone.nats_listen"},
	{
		name: "--bots", value: "0..20", help: "how many pion peers join with a camera and answer in the chat",
		set: func(o *devOptions, text string) (err error) {
			if o.bots, err = strconv.Atoi(text); err != nil || o.bots < 0 || o.bots > maxBots {
				return fmt.Errorf("%q is no number from 0 to %d", text, maxBots)
			}
			return nil
		},
	},
	{
		name: "--bots-room", value: "name", help: "which room they join (" + devRoom + ")",
		set: func(o *devOptions, text string) error { o.botsRoom = text; return checkName(text) },
	},
	{
		name: "--lan", help: "listen on all interfaces, with TLS, so that a phone can join",
		set: func(o *devOptions, _ string) error { o.lan = true; return nil },
	},
	{
		name: "--ready-time", help: "print how long a start takes until a client has joined, and end",
		set: func(o *devOptions, _ string) error { o.readyTime = true; return nil },
	},
}

// takeDevFlags takes dev's own flags out of the arguments. What is left are
// settings of the sections.
func takeDevFlags(args []string) (o devOptions, rest []string, err error) {
	o.botsRoom = devRoom
	for i := 0; i < len(args); i++ {
		name, text, hasText := strings.Cut(args[i], "=")
		flag, ok := devFlagNamed(name)
		switch {
		case !ok:
			rest = append(rest, args[i])
			continue
		case flag.value == "" && hasText:
			return o, nil, usage(fmt.Errorf("%s takes no value", name))
		case flag.value != "" && !hasText:
			if i++; i == len(args) {
				return o, nil, usage(fmt.Errorf("%s needs a value: %s", name, flag.value))
			}
			text = args[i]
		}
		if flag.set == nil {
			rest = append(rest, "--"+flag.setting+"="+text)
			continue
		}
		if err := flag.set(&o, text); err != nil {
			return o, nil, usage(fmt.Errorf("%s: %w", name, err))
		}
	}
	return o, rest, nil
}

func devFlagNamed(name string) (devFlag, bool) {
	for _, flag := range devFlags {
		if flag.name == name {
			return flag, true
		}
	}
	return devFlag{}, false
}

// devHelp is what --help says of them.
func devHelp() string {
	var b strings.Builder
	b.WriteString("Run all of Parley in this process, for development\n\n")
	for _, flag := range devFlags {
		fmt.Fprintf(&b, "      %-24s %s\n", strings.TrimSpace(flag.name+" "+flag.value), flag.help)
	}
	b.WriteString("\nand every setting:")
	return b.String()
}
