// npm's oidc-provider with its in-memory adapter: RS256, a key of 2048 bits, access tokens as JWT. In as
// many processes as are wanted; by itself it is one. Says `ready PORT` when it listens.
//
//     node server.mjs PORT WORKERS REFRESH_TOKEN
import cluster from 'node:cluster';
import { generateKeyPairSync } from 'node:crypto';

// Its notices would come before our one line.
console.info = console.warn = () => {};

const [port, workers] = process.argv.slice(2).map(Number);
const audience = 'https://api.example.com/orders';

if (cluster.isPrimary) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'bench' };
    let waiting = workers;
    cluster.on('listening', () => {
        waiting -= 1;
        if (waiting === 0) console.log(`ready ${port}`);
    });
    cluster.on('exit', () => process.exit(1));
    for (let n = 0; n < workers; n += 1) cluster.fork({ BENCH_JWK: JSON.stringify(jwk) });
    // Ends with whoever started it.
    process.stdin.on('end', () => process.exit(0)).resume();
} else {
    const { default: Provider } = await import('oidc-provider');
    const provider = new Provider(`http://127.0.0.1:${port}`, {
        jwks: { keys: [JSON.parse(process.env.BENCH_JWK)] },
        cookies: { keys: ['bench'] },
        findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
        rotateRefreshToken: false,
        clients: [{
            client_id: 'bench',
            client_secret: 'a-secret-of-the-bench-that-is-long-enough',
            grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
            redirect_uris: ['https://bench.example/cb'],
            response_types: ['code'],
            token_endpoint_auth_method: 'client_secret_post',
        }],
        features: {
            devInteractions: { enabled: false },
            clientCredentials: { enabled: true },
            resourceIndicators: {
                enabled: true,
                defaultResource: () => audience,
                useGrantedResource: () => true,
                getResourceServerInfo: () => ({
                    scope: 'read:orders write:orders',
                    audience,
                    accessTokenTTL: 86400,
                    accessTokenFormat: 'jwt',
                    jwt: { sign: { alg: 'RS256' } },
                }),
            },
        },
    });
    // A login that is over: every process knows its refresh token, as memory is not shared.
    const client = await provider.Client.find('bench');
    const grant = new provider.Grant({ accountId: 'ann', clientId: 'bench' });
    grant.addResourceScope(audience, 'read:orders write:orders');
    grant.addOIDCScope('offline_access');
    const refreshToken = new provider.RefreshToken({
        client,
        accountId: 'ann',
        grantId: await grant.save(),
        gty: 'authorization_code',
        scope: 'offline_access read:orders write:orders',
        resource: audience,
        iiat: Math.floor(Date.now() / 1000),
        jti: process.argv[4],
    });
    await refreshToken.save();
    provider.listen(port, '127.0.0.1');
}
