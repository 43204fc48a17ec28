// The script of examples/README.md on grpc-go. Prints `ok - STEP`, or `not ok - STEP: why`.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"latchkey.dev/connection"
	latchkey "latchkey.dev/gen/latchkey/v1"
)

const (
	listed   = "203.0.113.7"
	unlisted = "203.0.114.7"
)

type scenario struct {
	administrator string
	tokens        latchkey.TokenServiceClient
	validation    latchkey.ValidationServiceClient
	health        grpc_health_v1.HealthClient
	created       *latchkey.CreateAccessTokenResponse
}

// A call that ends in time, by whoever secret names (nobody if it is empty).
func prepare(secret string, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	if secret != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+secret)
	}
	return ctx, cancel
}

func expectCode(err error, code codes.Code) error {
	if status.Code(err) != code {
		return fmt.Errorf("expected %v, got %v", code, err)
	}
	return nil
}

func expect(holds bool, format string, args ...any) error {
	if !holds {
		return fmt.Errorf("expected "+format, args...)
	}
	return nil
}

func (s *scenario) createsAToken() error {
	ctx, cancel := prepare(s.administrator, 20*time.Second)
	defer cancel()
	created, err := s.tokens.CreateAccessToken(ctx, &latchkey.CreateAccessTokenRequest{
		Label: "grpc-go", Permissions: []string{"charges.create"}, RequestId: uuid.NewString(),
		WaitForValidators: durationpb.New(10 * time.Second)})
	if err != nil {
		return err
	}
	s.created = created
	if err := expect(len(created.Secret) == 55, "a secret of 55 characters"); err != nil {
		return err
	}
	return expect(created.Validators.GetAllConfirmed(), "all validators confirmed")
}

// min_revision: by what was true when the token was made, or later.
func (s *scenario) expectDecision(clientIp string, reason latchkey.Reason) error {
	ctx, cancel := prepare("", 20*time.Second)
	defer cancel()
	response, err := s.validation.Validate(ctx, &latchkey.ValidateRequest{
		Token: s.created.GetSecret(), ClientIp: clientIp, Channel: latchkey.Channel_CHANNEL_API,
		Permissions: []string{"charges.create"}, MinRevision: s.created.GetRevision()})
	if err != nil {
		return err
	}
	isAllowed := response.Decision == latchkey.Decision_DECISION_ALLOW
	if response.Reason != reason || isAllowed != (reason == latchkey.Reason_REASON_OK) {
		return fmt.Errorf("expected %v, got %v %v", reason, response.Decision, response.Reason)
	}
	return expect(!isAllowed || response.TokenId == s.created.AccessToken.TokenId, "the token's id")
}

func (s *scenario) allowsAListedAddress() error {
	return s.expectDecision(listed, latchkey.Reason_REASON_OK)
}

func (s *scenario) refusesAnUnlistedAddress() error {
	return s.expectDecision(unlisted, latchkey.Reason_REASON_COMPANY_IP_NOT_LISTED)
}

func (s *scenario) namesEveryBadField() error {
	ctx, cancel := prepare(s.administrator, 20*time.Second)
	defer cancel()
	_, err := s.tokens.CreateAccessToken(ctx, &latchkey.CreateAccessTokenRequest{ // without a label
		Permissions: []string{"charges.destroy"}, AllowedIps: []string{"10.0.0.1/33"}})
	if err := expectCode(err, codes.InvalidArgument); err != nil {
		return err
	}
	var fields []string
	for _, detail := range status.Convert(err).Details() {
		if badRequest, is := detail.(*errdetails.BadRequest); is {
			for _, violation := range badRequest.FieldViolations {
				fields = append(fields, violation.Field)
			}
		}
	}
	for _, field := range []string{"label", "permissions[0]", "allowed_ips[0]"} {
		if !slices.Contains(fields, field) {
			return fmt.Errorf("expected a violation of %s, got %v", field, fields)
		}
	}
	return nil
}

func (s *scenario) pagesThroughAList() error {
	ctx, cancel := prepare(s.administrator, 20*time.Second)
	defer cancel()
	request := &latchkey.ListAccessTokensRequest{PageSize: 1}
	pages, found := 0, false
	for isLast := false; !isLast; pages++ {
		page, err := s.tokens.ListAccessTokens(ctx, request)
		if err != nil {
			return err
		}
		if err := expect(len(page.AccessTokens) <= 1, "one token on a page"); err != nil {
			return err
		}
		for _, token := range page.AccessTokens {
			found = found || token.TokenId == s.created.GetAccessToken().GetTokenId()
		}
		request.PageToken = page.NextPageToken
		isLast = page.NextPageToken == ""
	}
	return expect(found && pages > 1, "the token on one of several pages")
}

func (s *scenario) deactivatesAndWaits() error {
	ctx, cancel := prepare(s.administrator, 20*time.Second)
	defer cancel()
	answer, err := s.tokens.DeactivateAccessToken(ctx, &latchkey.DeactivateAccessTokenRequest{
		TokenId: s.created.GetAccessToken().GetTokenId(), Reason: latchkey.DeactivateReason_DEACTIVATE_REASON_LEAKED,
		RequestId:         uuid.NewString(),
		WaitForValidators: durationpb.New(10 * time.Second)})
	if err != nil {
		return err
	}
	return expect(answer.Validators.GetAllConfirmed() && answer.Validators.GetLive() > 0, "all validators confirmed")
}

func (s *scenario) refusesADeactivatedToken() error {
	return s.expectDecision(listed, latchkey.Reason_REASON_DEACTIVATED)
}

// Reads a stream to its end.
func drain(stream grpc.ServerStreamingClient[grpc_health_v1.HealthCheckResponse]) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
}

func (s *scenario) honoursADeadline() error {
	ctx, cancel := prepare("", 300*time.Millisecond)
	defer cancel()
	stream, err := s.health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return err
	}
	return expectCode(drain(stream), codes.DeadlineExceeded)
}

func (s *scenario) bearsACancel() error {
	ctx, cancel := prepare("", 20*time.Second)
	stream, err := s.health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	cancel()
	if err != nil {
		return err
	}
	if err := expectCode(drain(stream), codes.Canceled); err != nil {
		return err
	}
	next, cancel := prepare(s.administrator, 20*time.Second)
	defer cancel()
	_, err = s.tokens.GetCaller(next, &latchkey.GetCallerRequest{})
	return err
}

func (s *scenario) tellsItsHealth() error {
	ctx, cancel := prepare("", 20*time.Second)
	defer cancel()
	for _, service := range []string{"", "latchkey.v1.TokenService", "latchkey.v1.ValidationService"} {
		answer, err := s.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil {
			return err
		}
		if answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			return fmt.Errorf("expected SERVING, got %v", answer.Status)
		}
	}
	_, err := s.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "no.such.Service"})
	return expectCode(err, codes.NotFound)
}

// Another key in place of authorization, and none.
func (s *scenario) carriesMetadata() error {
	ctx, cancel := prepare("", 20*time.Second)
	defer cancel()
	byOtherKey := metadata.AppendToOutgoingContext(ctx, "x-access-token", s.administrator)
	answer, err := s.tokens.GetCaller(byOtherKey, &latchkey.GetCallerRequest{})
	if err != nil {
		return err
	}
	if err := expect(strings.HasPrefix(answer.Caller.GetTokenId(), "tok_"), "the caller's token"); err != nil {
		return err
	}
	_, err = s.tokens.GetCaller(ctx, &latchkey.GetCallerRequest{})
	return expectCode(err, codes.Unauthenticated)
}

func main() {
	latchkeys, err := connection.Open()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &scenario{
		administrator: os.Getenv("LATCHKEY_TOKEN"),
		tokens:        latchkey.NewTokenServiceClient(latchkeys),
		validation:    latchkey.NewValidationServiceClient(latchkeys),
		health:        grpc_health_v1.NewHealthClient(latchkeys),
	}
	failed := false
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"creates a token", s.createsAToken},
		{"allows a listed address", s.allowsAListedAddress},
		{"refuses an unlisted address", s.refusesAnUnlistedAddress},
		{"names every bad field", s.namesEveryBadField},
		{"pages through a list", s.pagesThroughAList},
		{"deactivates and waits", s.deactivatesAndWaits},
		{"refuses a deactivated token", s.refusesADeactivatedToken},
		{"honours a deadline", s.honoursADeadline},
		{"bears a cancel", s.bearsACancel},
		{"tells its health", s.tellsItsHealth},
		{"carries metadata", s.carriesMetadata},
	} {
		if err := step.run(); err != nil {
			fmt.Printf("not ok - %s: %v\n", step.name, err)
			failed = true
		} else {
			fmt.Printf("ok - %s\n", step.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
