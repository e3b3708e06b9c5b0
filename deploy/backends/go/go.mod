module portal

go 1.24

require (
	github.com/MicahParks/keyfunc/v3 v3.4.0
	github.com/dunglas/httpsfv v1.1.2
	github.com/golang-jwt/jwt/v5 v5.3.1
)

require (
	github.com/MicahParks/jwkset v0.9.6 // indirect
	golang.org/x/time v0.9.0 // indirect
)
