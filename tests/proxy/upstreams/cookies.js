// Sets 110 cookies at /set and sends the browser on; says on standard output, as JSON, with how many
// it came back. Ends with its standard input.
'use strict';
const http = require('node:http');

const server = http.createServer((request, response) => {
  if (request.url === '/set') {
    const cookies = Array.from({ length: 110 }, (_, number) => `c${number}=${number}; Path=/`);
    response.writeHead(303, { 'Set-Cookie': cookies, Location: '/seen' });
  } else if (request.url === '/seen') {
    const count = (request.headers.cookie ?? '').split('; ').filter(Boolean).length;
    process.stdout.write(JSON.stringify({ kind: 'cookies', count }) + '\n');
  }
  response.end();
});
process.stdin.resume().on('end', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening http://127.0.0.1:${server.address().port}\n`);
});
