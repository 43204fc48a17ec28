package dev.latchkey.example;

import dev.latchkey.v1.ValidateResponse;
import dev.latchkey.v1.ValidationServiceGrpc;
import io.grpc.ManagedChannel;
import java.io.IOException;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** A service with one guarded handler. PORT (default 8080), LATCHKEY_ADDRESS. */
@SpringBootApplication
public class Application {
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @Bean(destroyMethod = "shutdown")
    ManagedChannel latchkey() throws IOException {
        return Connection.open();
    }

    @Bean
    WebMvcConfigurer guard(ManagedChannel latchkey) {
        return new WebMvcConfigurer() {
            @Override
            public void addInterceptors(InterceptorRegistry registry) {
                registry.addInterceptor(new LatchkeyInterceptor(ValidationServiceGrpc.newBlockingStub(latchkey)));
            }
        };
    }

    @RestController
    static class Charges {
        @GetMapping("/charges")
        @Permission("charges.read")
        String list(@RequestAttribute(LatchkeyInterceptor.CALLER) ValidateResponse caller) {
            return "the charges of " + caller.getCompanyId() + ", read by " + caller.getTokenId() + "\n";
        }
    }
}
