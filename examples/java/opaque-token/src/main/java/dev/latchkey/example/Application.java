package dev.latchkey.example;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.OAuth2AuthenticatedPrincipal;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Spring Security alone: it asks Latchkey's introspection endpoint by the three properties of
 * application.properties, and a permission is an authority SCOPE_permission.
 */
@SpringBootApplication
@EnableMethodSecurity
public class Application {
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @RestController
    static class Charges {
        @GetMapping("/charges")
        @PreAuthorize("hasAuthority('SCOPE_charges.read')")
        String list(@AuthenticationPrincipal OAuth2AuthenticatedPrincipal caller) {
            return "the charges of " + caller.getAttribute("company_id") + ", read by " + caller.getAttribute("jti") + "\n";
        }
    }
}
