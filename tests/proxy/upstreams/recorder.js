// Says on standard output, as JSON, what requests Node's own parser (llhttp) makes of what comes,
// and answers each with the same. Ends with its standard input.
'use strict';
const http = require('node:http');

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

const pairs = (raw) => {
  const found = [];
  for (let at = 0; at < raw.length; at += 2) found.push([raw[at].toLowerCase(), raw[at + 1]]);
  return found;
};

const server = http.createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const seen = {
      kind: 'request',
      method: request.method,
      target: request.url,
      version: request.httpVersion,
      headers: pairs(request.rawHeaders),
      body: Buffer.concat(pieces).toString('latin1'),
      trailers: pairs(request.rawTrailers),
    };
    say(seen);
    const status = Number(new URL(request.url, 'http://x').searchParams.get('status') ?? 200);
    const text = JSON.stringify(seen);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(status === 204 || status === 304 ? undefined : text);
  });
  request.on('error', () => say({ kind: 'aborted', target: request.url }));
});
server.on('clientError', (error, socket) => {
  // The end of a connection in the middle of a request is the end of that request.
  if (['ECONNRESET', 'HPE_INVALID_EOF_STATE'].includes(error.code)) return socket.destroy();
  say({ kind: 'unreadable', why: error.code });
  socket.destroy();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`listening http://127.0.0.1:${server.address().port}`);
});
process.stdin.on('end', () => process.exit()).resume();
