// Preloaded into OpenClaw 2026.9.6 (`node --import`): what it asks of OpenAI goes to the rig, and
// nothing goes anywhere else. Its guard lets only public addresses be asked, so the name leads to
// one; the connection, which would be encrypted, is one to the rig.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';

const rig = new URL(process.env.INTEROP_SERVER);
const PUBLIC = { address: '104.18.33.45', family: 4 };
const mayAsk = (host) => {
  if (host !== 'auth.openai.com') throw new TypeError(`the rig does not let ${host} be asked`);
};

dns.promises.lookup = async (host, options) => {
  mayAsk(host);
  return options?.all ? [PUBLIC] : PUBLIC;
};
tls.connect = ({ host, servername }) => {
  mayAsk(servername ?? host);
  const socket = net.connect({ host: rig.hostname, port: rig.port });
  socket.alpnProtocol = false;
  socket.once('connect', () => socket.emit('secureConnect'));
  return socket;
};
syncBuiltinESMExports();
