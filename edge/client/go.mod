module github.com/parley-rtc/parley/edge/client

go 1.26.0

replace github.com/parley-rtc/parley/services/contract => ../../services/contract
