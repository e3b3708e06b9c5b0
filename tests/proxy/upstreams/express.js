// A portal of Express as its manual writes one. Says on standard output where it listens, and ends
// with its standard input.
'use strict';
// Debian's own, whichever Node this is.
process.env.NODE_PATH = '/usr/share/nodejs';
require('node:module').Module._initPaths();
const express = require('express');

const app = express();
app.get('/admin', (_, response) => response.send('SECRET'));
app.use((_, response) => response.send('open'));

process.stdin.on('end', () => process.exit()).resume();
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening http://127.0.0.1:${server.address().port}\n`);
});
