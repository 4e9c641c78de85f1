package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	healthcheckCommand = "healthcheck"
	healthcheckTimeout = 2 * time.Second
	// healthcheckMaxBody bounds what is repeated of the answer.
	healthcheckMaxBody = 4 << 10
)

// Healthcheck asks the process that serves cfg.Listen on this machine whether
// it is ready. The error repeats its answer.
func Healthcheck(ctx context.Context, cfg AdminConfig) error {
	address, err := dialAddress(cfg.Listen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, healthcheckMaxBody))
	return fmt.Errorf("healthcheck: %s: %s", response.Status, strings.TrimSpace(string(body)))
}

// dialAddress turns an address to listen on into one to connect to.
func dialAddress(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "0" || port == "" {
		return "", errors.New("healthcheck: admin.listen must name a port")
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}
