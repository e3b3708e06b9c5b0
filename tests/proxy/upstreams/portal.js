// A portal that streams, dawdles and upgrades. Says on standard output, as JSON, what happens to
// it; does the next thing when told so on standard input, and ends with it.
'use strict';
const http = require('node:http');
const crypto = require('node:crypto');
const readline = require('node:readline');
const { EventEmitter } = require('node:events');

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const told = new EventEmitter().setMaxListeners(0);
readline.createInterface({ input: process.stdin })
  .on('line', (line) => told.emit(line))
  .on('close', () => process.exit());

const places = {
  // Says who asks.
  '/': (request, response) => response.end(JSON.stringify(request.headers)),

  // Says whether the gateway vouches for whoever asks.
  '/mine': (request, response) => response.end(String('x-brama-assertion' in request.headers)),

  // Answers with the checksum of the body.
  '/sum': (request, response) => {
    const hash = crypto.createHash('sha256');
    request.on('data', (piece) => hash.update(piece));
    request.on('end', () => response.end(hash.digest('hex')));
  },

  // Sends `size` bytes, which are those of the numbers 0, 1, 2, ... in 8 bytes each.
  '/download': (request, response, query) => {
    const size = Number(query.get('size'));
    response.setHeader('Content-Length', size);
    let sent = 0;
    const more = () => {
      while (sent < size) {
        const piece = Buffer.alloc(Math.min(65536, size - sent));
        for (let at = 0; at < piece.length; at += 8) piece.writeUInt32LE((sent + at) / 8, at);
        sent += piece.length;
        if (!response.write(piece)) return response.once('drain', more);
      }
      response.end();
    };
    more();
  },

  // Sends one event, and a further one each time that it is told `next`.
  '/events': (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    let number = 0;
    const send = () => response.write(`data: ${++number}\n\n`);
    told.on('next', send);
    response.on('close', () => told.off('next', send));
    send();
  },

  // Says of each piece of the body that it came.
  '/pieces': (request, response) => {
    request.on('data', (piece) => say({ kind: 'piece', text: piece.toString('latin1') }));
    request.on('end', () => response.end('all'));
  },

  // Sends each piece of the body back as it comes.
  '/echo': (request, response) => {
    response.flushHeaders();
    request.pipe(response);
  },

  // Refuses without a look at the body.
  '/early': (_, response) => {
    response.writeHead(413);
    response.end('too large for us');
  },

  // Never answers; says when nobody waits any more.
  '/hang': (request, response) => {
    say({ kind: 'hanging' });
    response.on('close', () => say({ kind: 'gone' }));
  },

  // Begins an answer and never ends it; says when nobody reads any more.
  '/drip': (request, response) => {
    response.write('drop');
    response.on('close', () => say({ kind: 'gone' }));
  },

  // Answers when it is told `answer`.
  '/wait': (_, response) => {
    say({ kind: 'waiting' });
    told.once('answer', () => response.end('waited'));
  },

  // Sends an answer whose end has something to say.
  '/trailers': (_, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('hello');
    response.addTrailers({ 'X-Sum': '42' });
    response.end();
  },
};

const server = http.createServer((request, response) => {
  request.on('error', () => {});
  const url = new URL(request.url, 'http://portal');
  const place = places[url.pathname];
  if (place) return place(request, response, url.searchParams);
  response.writeHead(404);
  response.end();
});

// Takes any protocol when it is told `switch`, and then sends back what comes, in capitals; below
// /never it refuses.
server.on('upgrade', (request, socket, head) => {
  let early = head.length;
  const count = (piece) => { early += piece.length; };
  socket.on('data', count);
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  socket.on('close', () => say({ kind: 'parted' }));
  say({ kind: 'upgrade', protocol: request.headers.upgrade, headers: request.headers });
  if (request.url.startsWith('/never')) {
    return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  }
  told.once('switch', () => {
    say({ kind: 'switched', early });
    socket.off('data', count);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n'
      + `Upgrade: ${request.headers.upgrade}\r\n\r\nREADY\n`);
    socket.on('data', (piece) => socket.write(piece.toString('latin1').toUpperCase(), 'latin1'));
  });
});
server.keepAliveTimeout = 60_000;
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  console.log(`listening http://127.0.0.1:${server.address().port}`);
});
