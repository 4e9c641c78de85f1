module github.com/parley-rtc/parley/services/contract

go 1.26.0
