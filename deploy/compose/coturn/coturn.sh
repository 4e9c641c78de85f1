#!/bin/sh
# Starts coturn with the secret that authsvc makes credentials with. A secret in a file can't be an option of coturn's, and
# as an argument it would be seen in every list of processes.
set -eu
umask 077
{
  echo "use-auth-secret"
  echo "static-auth-secret=$(cat /run/secrets/turn_secret)"
  echo "realm=parley"
  echo "listening-port=3478"
  echo "min-port=29160"
  echo "max-port=29199"
  echo "user-quota=12"
  echo "fingerprint"
  echo "no-cli"
  echo "no-tls"
  echo "no-dtls"
  echo "no-multicast-peers"
  echo "no-software-attribute"
  echo "pidfile=/tmp/coturn.pid"
  echo "userdb=/tmp/coturn.db"
  echo "log-file=stdout"
  echo "simple-log"
  if [ -n "${TURN_EXTERNAL_IP:-}" ]; then
    # For the world: nothing is relayed to what only this host can reach.
    echo "external-ip=$TURN_EXTERNAL_IP"
    for range in 0.0.0.0-0.255.255.255 10.0.0.0-10.255.255.255 100.64.0.0-100.127.255.255 127.0.0.0-127.255.255.255 \
      169.254.0.0-169.254.255.255 172.16.0.0-172.31.255.255 192.0.0.0-192.0.0.255 192.168.0.0-192.168.255.255 \
      198.18.0.0-198.19.255.255 ::1 fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff; do
      echo "denied-peer-ip=$range"
    done
  fi
} >/tmp/coturn.conf
exec turnserver -c /tmp/coturn.conf
