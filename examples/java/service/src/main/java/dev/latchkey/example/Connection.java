package dev.latchkey.example;

import dev.latchkey.v1.ValidationServiceGrpc;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * A connection to Latchkey, as the environment describes it. Make one for the life of the process: it carries any
 * number of calls at once and comes back by itself when the server does.
 */
public final class Connection {
    /**
     * Validate is asked again while the answer is UNAVAILABLE. So may be what changes something, if it carries a
     * request_id.
     */
    private static final Map<String, ?> SERVICE_CONFIG = Map.of("methodConfig", List.of(Map.of(
            "name", List.of(Map.of("service", ValidationServiceGrpc.SERVICE_NAME)),
            "retryPolicy", Map.of(
                    "maxAttempts", 4.0, "initialBackoff", "0.05s", "maxBackoff", "1s", "backoffMultiplier", 2.0,
                    "retryableStatusCodes", List.of("UNAVAILABLE")))));

    private Connection() {}

    /**
     * To LATCHKEY_ADDRESS, host:port; with TLS if LATCHKEY_TLS_CA names a file, and with the certificate of
     * LATCHKEY_TLS_CERTIFICATE and LATCHKEY_TLS_KEY if they do. Connects with the first call.
     */
    public static ManagedChannel open() throws IOException {
        return Grpc.newChannelBuilder(System.getenv("LATCHKEY_ADDRESS"), readCredentials())
                .defaultServiceConfig(SERVICE_CONFIG)
                .build();
    }

    private static ChannelCredentials readCredentials() throws IOException {
        String authority = System.getenv("LATCHKEY_TLS_CA");
        if (authority == null) {
            return InsecureChannelCredentials.create();
        }
        TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder().trustManager(new File(authority));
        String certificate = System.getenv("LATCHKEY_TLS_CERTIFICATE");
        if (certificate != null) {
            tls.keyManager(new File(certificate), new File(System.getenv("LATCHKEY_TLS_KEY")));
        }
        return tls.build();
    }
}
