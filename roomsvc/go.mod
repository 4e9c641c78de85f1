module github.com/parley-rtc/parley/roomsvc

go 1.26.0

replace github.com/parley-rtc/parley/services => ../services
replace github.com/parley-rtc/parley/services/contract => ../services/contract
