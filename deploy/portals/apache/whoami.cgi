#!/bin/sh
# Shows what an application of CGI is told.
printf 'Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
env | sort
