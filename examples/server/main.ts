import { join } from 'node:path';
import { modelServer } from './server.js';

const port = Number(process.env.PORT ?? 8080);
const server = await modelServer(join(import.meta.dirname, 'model'));
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/?text=…`));
