module github.com/parley-rtc/parley/deploy/standalone

go 1.26.0

replace github.com/parley-rtc/parley/services => ../../services
replace github.com/parley-rtc/parley/services/contract => ../../services/contract
replace github.com/parley-rtc/parley/edge => ../../edge
replace github.com/parley-rtc/parley/edge/client => ../../edge/client
replace github.com/parley-rtc/parley/edge/client/negotiate => ../../edge/client/negotiate
replace github.com/parley-rtc/parley/roomsvc => ../../roomsvc
replace github.com/parley-rtc/parley/authsvc => ../../authsvc
replace github.com/parley-rtc/parley/candidatefilter => ../../candidatefilter
