package dev.latchkey.bench;

import dev.latchkey.v1.Decision;
import dev.latchkey.v1.Reason;
import dev.latchkey.v1.ValidateRequest;
import dev.latchkey.v1.ValidateResponse;
import dev.latchkey.v1.ValidationServiceGrpc;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerSocketChannel;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;

/**
 * The peer: Validate of the same contract on grpc-java with Netty and epoll, answered on the one event loop, and hardly a
 * decision behind it: any token from anywhere is allowed. Prints "listening ADDRESS".
 */
public final class Main {
  private static final int MAX_STREAMS = 1000;
  private static final int WINDOW = 1 << 20;

  private static final class Service extends ValidationServiceGrpc.ValidationServiceImplBase {
    @Override
    public void validate(ValidateRequest request, StreamObserver<ValidateResponse> observer) {
      observer.onNext(decide(request));
      observer.onCompleted();
    }

    private static ValidateResponse decide(ValidateRequest request) {
      if (request.getToken().isEmpty() || request.getClientIp().isEmpty()) {
        return ValidateResponse.newBuilder().setDecision(Decision.DECISION_DENY).setReason(Reason.REASON_MALFORMED).build();
      }
      return ValidateResponse.newBuilder()
          .setDecision(Decision.DECISION_ALLOW)
          .setReason(Reason.REASON_OK)
          .setCompanyId("cmp_01jd3ge8x9f0r8q6k3n2v5t7wy")
          .setTokenId("tok_01jd3ge8x9f0r8q6k3n2v5t7wz")
          .build();
    }
  }

  public static void main(String[] arguments) throws Exception {
    Server server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
        .channelType(EpollServerSocketChannel.class)
        .bossEventLoopGroup(new EpollEventLoopGroup(1))
        .workerEventLoopGroup(new EpollEventLoopGroup(1))
        .withChildOption(ChannelOption.TCP_NODELAY, true)
        .maxConcurrentCallsPerConnection(MAX_STREAMS)
        .flowControlWindow(WINDOW)
        .directExecutor()
        .addService(new Service())
        .build()
        .start();
    System.out.println("listening 127.0.0.1:" + server.getPort());
    server.awaitTermination();
  }
}
