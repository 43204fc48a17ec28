// A service with one guarded route. PORT (default 8080), LATCHKEY_ADDRESS.
import express from 'express';

import { connect } from '../grpc-js/connection.js';
import { guard } from './latchkey.js';

const app = express();
const needs = guard(connect().validation);

app.get('/charges', needs('charges.read'), (request, response) => {
  const { companyId, tokenId } = response.locals.caller;
  response.type('text').send(`the charges of ${companyId}, read by ${tokenId}\n`);
});

app.listen(process.env.PORT ?? 8080, '127.0.0.1');
