//go:build linux

package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/parley-rtc/parley/tests/chaos/schedule"
	"github.com/parley-rtc/parley/tests/load/machine"
)

// The network: a bridge with this process, and the namespaces on it. The NATS
// nodes have a prefix of their own, so that one rule can name them.
const (
	bridge      = "hub"
	hubAddress  = "10.7.0.1"
	prefixBits  = "/16"
	natsPrefix  = "10.7.1.0/24"
	natsFormat  = "10.7.1.%d"
	otherFormat = "10.7.2.%d"
)

// CheckTools fails with the command that installs what is missing.
func CheckTools() error {
	for _, tool := range []string{"ip", "tc", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("there is no %s: apt-get install iproute2 iptables", tool)
		}
	}
	return nil
}

// setUpHub makes the bridge.
func setUpHub() error {
	for _, line := range []string{
		"link set lo up",
		"link add " + bridge + " type bridge",
		"address add " + hubAddress + prefixBits + " dev " + bridge,
		"link set " + bridge + " up",
	} {
		if err := command("ip", line); err != nil {
			return err
		}
	}
	return nil
}

// namespace is the network of one process.
type namespace struct {
	thread  *machine.Thread // lives in it
	port    string          // the bridge's end of its cable
	address string
}

// newNamespace connects a new namespace with the bridge.
func newNamespace(index int, address string) (*namespace, error) {
	n := &namespace{thread: machine.NewThread(), port: fmt.Sprintf("port%d", index), address: address}
	var err error
	var tid int
	n.thread.Do(func() {
		err = unix.Unshare(unix.CLONE_NEWNET)
		tid = unix.Gettid()
	})
	if err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	outside := []string{
		fmt.Sprintf("link add %s type veth peer name eth0 netns %d", n.port, tid),
		"link set " + n.port + " master " + bridge,
		"link set " + n.port + " up",
	}
	for _, line := range outside {
		if err := command("ip", line); err != nil {
			return nil, err
		}
	}
	for _, line := range []string{"link set lo up", "address add " + address + prefixBits + " dev eth0", "link set eth0 up"} {
		if err := n.command("ip", line); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// cutOff drops packets until heal.
func (n *namespace) cutOff(d schedule.Direction, natsOnly bool) error {
	var rules []string
	if d != schedule.Out {
		rules = append(rules, "-A INPUT -i eth0 -j DROP")
	}
	if d != schedule.In {
		rules = append(rules, "-A OUTPUT -o eth0 -j DROP")
	}
	for _, rule := range rules {
		if natsOnly {
			rule = strings.Replace(rule, "-A INPUT", "-A INPUT -s "+natsPrefix, 1)
			rule = strings.Replace(rule, "-A OUTPUT", "-A OUTPUT -d "+natsPrefix, 1)
		}
		if err := n.command("iptables", "-w "+rule); err != nil {
			return err
		}
	}
	return nil
}

func (n *namespace) heal() error { return n.command("iptables", "-w -F") }

// slow gives both ends of the cable a narrow pipe. netem, which could also delay,
// isn't in every kernel.
func (n *namespace) slow() error {
	const pipe = " root tbf rate 2mbit burst 16kb latency 300ms"
	return errors.Join(command("tc", "qdisc add dev "+n.port+pipe), n.command("tc", "qdisc add dev eth0"+pipe))
}

func (n *namespace) fast() error {
	return errors.Join(command("tc", "qdisc del dev "+n.port+" root"), n.command("tc", "qdisc del dev eth0 root"))
}

// command runs a tool in the namespace.
func (n *namespace) command(tool, line string) (err error) {
	n.thread.Do(func() { err = command(tool, line) })
	return err
}

func command(tool, line string) error {
	cmd := exec.Command(tool, strings.Fields(line)...) //nolint:noctx // it changes a table and ends
	// The lock of iptables is for all namespaces of the machine, and its file may not be ours to write.
	cmd.Env = append(cmd.Environ(), "XTABLES_LOCKFILE=/dev/null")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", tool, line, err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}
