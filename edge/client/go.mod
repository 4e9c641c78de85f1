module github.com/parley-rtc/parley/edge/client

go 1.26.0

replace github.com/parley-rtc/parley/services/contract => ../../services/contract

require (
	github.com/gobwas/ws v1.5.0
	github.com/parley-rtc/parley/services/contract v0.0.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
)
