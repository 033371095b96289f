// A JsSIP phone that watches: node watcher.js URL NUMBER PASSWORD TARGET [EVENT] [LIST]
// Prints one JSON object a line: what happened, and every NOTIFY that came.
'use strict';

const WebSocket = require('ws');

const [, , url, number, password, target, event = 'dialog', list = ''] = process.argv;
const host = new URL(url).hostname;

global.WebSocket = class extends WebSocket {
  constructor(address, protocol) {
    super(address, protocol, {
      rejectUnauthorized: false, // the office made its certificate itself
      origin: process.env.ORIGIN || undefined,
    });
  }
};

const JsSIP = require('jssip');

function say(what, fields = {}) {
  process.stdout.write(`${JSON.stringify({ what, ...fields })}\n`);
}

const ua = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(url)],
  uri: `sip:${number}@${host}`,
  password,
  register: true,
  register_expires: 120,
  connection_recovery_min_interval: 1,
  connection_recovery_max_interval: 2,
});

const kinds = { dialog: 'application/dialog-info+xml', presence: 'application/pidf+xml' };
let subscriber = null;

function subscribe() {
  const accept = list ? `${kinds[event]}, application/rlmi+xml, multipart/related` : kinds[event];
  subscriber = ua.subscribe(target, event, accept, {
    expires: 600,
    extraHeaders: list ? ['Supported: eventlist'] : [],
  });
  subscriber.on('active', () => say('active'));
  subscriber.on('pending', () => say('pending'));
  subscriber.on('terminated', (code, reason) => say('ended', { code, reason }));
  subscriber.on('notify', (isFinal, request, body, type) => {
    say('notify', { cseq: request.cseq, type, body, callId: request.call_id });
  });
  subscriber.subscribe();
}

ua.on('connected', () => say('connected'));
ua.on('disconnected', data => say('disconnected', { error: Boolean(data && data.error) }));
ua.on('registered', () => {
  say('registered');
  if (subscriber === null) subscribe();
});
ua.on('registrationFailed', data => say('refused', { cause: data.cause }));
ua.start();

process.on('SIGTERM', () => {
  ua.stop();
  setTimeout(() => process.exit(0), 200);
});
