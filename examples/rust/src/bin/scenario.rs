//! The script of examples/README.md on tonic. Prints `ok - STEP`, or `not ok - STEP: why`.

use std::env;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use latchkey_example::client::{connect, request, retry};
use latchkey_example::health::health_check_response::ServingStatus;
use latchkey_example::health::health_client::HealthClient;
use latchkey_example::health::HealthCheckRequest;
use latchkey_example::latchkey::token_service_client::TokenServiceClient;
use latchkey_example::latchkey::validation_service_client::ValidationServiceClient;
use latchkey_example::latchkey::*;
use tonic::transport::Channel as Connection;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const LISTED: &str = "203.0.113.7";
const UNLISTED: &str = "203.0.114.7";
const TIMEOUT: Duration = Duration::from_secs(20);

fn expect(holds: bool, what: &str) -> Outcome {
    holds.then_some(()).ok_or_else(|| format!("expected {what}").into())
}

fn expect_code<T>(result: Result<T, Status>, code: Code) -> Result<Status, Box<dyn std::error::Error>> {
    match result {
        Err(status) if status.code() == code => Ok(status),
        Err(status) => Err(format!("expected {code:?}, not {status}").into()),
        Ok(_) => Err(format!("expected {code:?}, not OK").into()),
    }
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

struct Scenario {
    administrator: String,
    tokens: TokenServiceClient<Connection>,
    validation: ValidationServiceClient<Connection>,
    health: HealthClient<Connection>,
    created: CreateAccessTokenResponse,
}

impl Scenario {
    fn by_administrator<T>(&self, message: T) -> Request<T> {
        request(message, TIMEOUT, &self.administrator)
    }

    fn token_id(&self) -> &str {
        self.created.access_token.as_ref().map_or("", |token| &token.token_id)
    }

    async fn creates_a_token(&mut self) -> Outcome {
        let message = CreateAccessTokenRequest {
            label: "tonic".into(),
            permissions: vec!["charges.create".into()],
            wait_for_validators: seconds(10),
            ..Default::default()
        };
        let request = self.by_administrator(message);
        self.created = self.tokens.create_access_token(request).await?.into_inner();
        expect(self.created.secret.len() == 55, "a secret of 55 characters")?;
        expect(self.created.validators.as_ref().is_some_and(|all| all.all_confirmed), "all validators confirmed")
    }

    /// `min_revision`: by what was true when the token was made, or later.
    async fn expect_decision(&mut self, client_ip: &str, reason: Reason) -> Outcome {
        let question = ValidateRequest {
            token: self.created.secret.clone(),
            client_ip: client_ip.into(),
            channel: Channel::Api.into(),
            permissions: vec!["charges.create".into()],
            min_revision: self.created.revision.clone(),
            ..Default::default()
        };
        let ask = || {
            let (mut validation, question) = (self.validation.clone(), question.clone());
            async move { validation.validate(request(question, TIMEOUT, "")).await }
        };
        let answer = retry(ask).await?.into_inner();
        let is_allowed = answer.decision() == Decision::Allow;
        expect(
            answer.reason() == reason && is_allowed == (reason == Reason::Ok),
            &format!("{reason:?}, not {:?}", answer.reason()),
        )?;
        expect(!is_allowed || answer.token_id == self.token_id(), "the token's id")
    }

    async fn names_every_bad_field(&mut self) -> Outcome {
        let message = CreateAccessTokenRequest {
            permissions: vec!["charges.destroy".into()], // and no label
            allowed_ips: vec!["10.0.0.1/33".into()],
            ..Default::default()
        };
        let request = self.by_administrator(message);
        let status = expect_code(self.tokens.create_access_token(request).await, Code::InvalidArgument)?;
        let bad_request = status.get_details_bad_request().ok_or("no BadRequest")?;
        for field in ["label", "permissions[0]", "allowed_ips[0]"] {
            let is_named = bad_request.field_violations.iter().any(|violation| violation.field == field);
            expect(is_named, &format!("a violation of {field}"))?;
        }
        Ok(())
    }

    async fn pages_through_a_list(&mut self) -> Outcome {
        let (mut pages, mut found, mut page_token) = (0, false, String::new());
        loop {
            let message = ListAccessTokensRequest { page_size: 1, page_token, ..Default::default() };
            let request = self.by_administrator(message);
            let page = self.tokens.list_access_tokens(request).await?.into_inner();
            expect(page.access_tokens.len() <= 1, "one token on a page")?;
            found |= page.access_tokens.iter().any(|token| token.token_id == self.token_id());
            pages += 1;
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        expect(found && pages > 1, "the token on one of several pages")
    }

    async fn deactivates_and_waits(&mut self) -> Outcome {
        let message = DeactivateAccessTokenRequest {
            token_id: self.token_id().to_string(),
            reason: DeactivateReason::Leaked.into(),
            wait_for_validators: seconds(10),
            ..Default::default()
        };
        let request = self.by_administrator(message);
        let answer = self.tokens.deactivate_access_token(request).await?.into_inner();
        let all_confirmed = answer.validators.is_some_and(|all| all.all_confirmed && all.live > 0);
        expect(all_confirmed, "all validators confirmed")
    }

    async fn honours_a_deadline(&mut self) -> Outcome {
        let timeout = Duration::from_millis(300);
        let watch = async {
            let request = request(HealthCheckRequest::default(), timeout, "");
            let mut stream = self.health.watch(request).await?.into_inner();
            while stream.message().await?.is_some() {}
            Ok(())
        };
        expect_code(watch.await, Code::DeadlineExceeded).map(drop)
    }

    /// Dropping a stream cancels its call.
    async fn bears_a_cancel(&mut self) -> Outcome {
        let request = request(HealthCheckRequest::default(), TIMEOUT, "");
        let mut stream = self.health.watch(request).await?.into_inner();
        stream.message().await?.ok_or("expected a first message")?;
        drop(stream);
        let next = self.by_administrator(GetCallerRequest {});
        self.tokens.get_caller(next).await?;
        Ok(())
    }

    async fn tells_its_health(&mut self) -> Outcome {
        for service in ["", "latchkey.v1.TokenService", "latchkey.v1.ValidationService"] {
            let answer = self.health.check(HealthCheckRequest { service: service.into() }).await?.into_inner();
            expect(answer.status() == ServingStatus::Serving, &format!("{service:?} SERVING"))?;
        }
        let request = HealthCheckRequest { service: "no.such.Service".into() };
        expect_code(self.health.check(request).await, Code::NotFound).map(drop)
    }

    async fn carries_metadata(&mut self) -> Outcome {
        let mut by_other_key = request(GetCallerRequest {}, TIMEOUT, "");
        by_other_key.metadata_mut().insert("x-access-token", self.administrator.parse()?);
        let caller = self.tokens.get_caller(by_other_key).await?.into_inner().caller.ok_or("no caller")?;
        expect(caller.token_id.starts_with("tok_"), "the caller's token")?;
        let by_nobody = request(GetCallerRequest {}, TIMEOUT, "");
        expect_code(self.tokens.get_caller(by_nobody).await, Code::Unauthenticated).map(drop)
    }
}

/// Says how a step ended; true if it was ok.
async fn run(step: &str, outcome: impl Future<Output = Outcome>) -> bool {
    let outcome = outcome.await;
    match &outcome {
        Ok(()) => println!("ok - {step}"),
        Err(why) => println!("not ok - {step}: {why}"),
    }
    outcome.is_ok()
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error + Send + Sync>> {
    let connection = connect()?;
    let mut s = Scenario {
        administrator: env::var("LATCHKEY_TOKEN")?,
        tokens: TokenServiceClient::new(connection.clone()),
        validation: ValidationServiceClient::new(connection.clone()),
        health: HealthClient::new(connection),
        created: CreateAccessTokenResponse::default(),
    };
    let mut passed = run("creates a token", s.creates_a_token()).await;
    passed &= run("allows a listed address", s.expect_decision(LISTED, Reason::Ok)).await;
    passed &= run("refuses an unlisted address", s.expect_decision(UNLISTED, Reason::CompanyIpNotListed)).await;
    passed &= run("names every bad field", s.names_every_bad_field()).await;
    passed &= run("pages through a list", s.pages_through_a_list()).await;
    passed &= run("deactivates and waits", s.deactivates_and_waits()).await;
    passed &= run("refuses a deactivated token", s.expect_decision(LISTED, Reason::Deactivated)).await;
    passed &= run("honours a deadline", s.honours_a_deadline()).await;
    passed &= run("bears a cancel", s.bears_a_cancel()).await;
    passed &= run("tells its health", s.tells_its_health()).await;
    passed &= run("carries metadata", s.carries_metadata()).await;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
