// Refuses every upload without a look at it, and closes the connection while it comes. Answers GET
// with `well`. Ends with its standard input.
'use strict';
const http = require('node:http');

const server = http.createServer((request, response) => {
  request.on('error', () => {});
  if (request.method === 'GET') return response.end('well');
  response.writeHead(413, { Connection: 'close', 'Content-Length': 16 });
  response.end('too large for us', () => request.socket.destroy());
});
process.stdin.resume().on('end', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening http://127.0.0.1:${server.address().port}\n`);
});
