// A page that has the browser fetch and render further pages ahead, and that goes to one of them when
// it is told `go` on standard input. Ends with it.
'use strict';
const http = require('node:http');

const rules = {
  prefetch: [{ source: 'list', urls: ['/private/page'], eagerness: 'immediate' }],
  prerender: [{ source: 'list', urls: ['/private/ahead'], eagerness: 'immediate' }],
};
const page = `<!DOCTYPE html><title>Ahead</title>
<script type="speculationrules">${JSON.stringify(rules)}</script>
<script>fetch('/go').then(() => location.assign('/private/page'))</script>`;

// The page waits for this answer.
let waits;
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  if (request.url === '/go') waits = response;
  else response.end(request.url === '/' ? page : '');
});
process.stdin.on('data', () => waits.end()).on('end', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening http://127.0.0.1:${server.address().port}\n`);
});
