// The tables of InvitationService: methods, mails, settings, the service.
#include <stdio.h>

#include "common/app/mail_settings.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "services/invitation/invitation_link_rpc.h"
#include "services/invitation/invitation_mail.h"
#include "services/invitation/invitation_rpc.h"
#include "services/invitation/invitation_service.h"
#include "services/invitation/invitation_settings.h"

#define PATH(method) "/latchkey.v1.InvitationService/" method
#define READ "latchkey.invitations.read"
#define MANAGE "latchkey.invitations.manage"

static const struct app_method methods[] = {
    {PATH("CreateInvitations"), &latchkey__v1__create_invitations_request__descriptor,
     &latchkey__v1__create_invitations_response__descriptor, APP_MUTATION, MANAGE, invitation_rpc_create},
    {PATH("GetInvitation"), &latchkey__v1__get_invitation_request__descriptor,
     &latchkey__v1__get_invitation_response__descriptor, APP_READ, READ, invitation_rpc_get},
    {PATH("ListInvitations"), &latchkey__v1__list_invitations_request__descriptor,
     &latchkey__v1__list_invitations_response__descriptor, APP_READ, READ, invitation_rpc_list},
    {PATH("ResendInvitation"), &latchkey__v1__resend_invitation_request__descriptor,
     &latchkey__v1__resend_invitation_response__descriptor, APP_MUTATION, MANAGE, invitation_rpc_resend},
    {PATH("DeactivateInvitation"), &latchkey__v1__deactivate_invitation_request__descriptor,
     &latchkey__v1__deactivate_invitation_response__descriptor, APP_MUTATION, MANAGE,
     invitation_rpc_deactivate},
    {PATH("LookupInvitation"), &latchkey__v1__lookup_invitation_request__descriptor,
     &latchkey__v1__lookup_invitation_response__descriptor, APP_OPEN_READ, NULL, invitation_link_rpc_lookup},
    {PATH("AcceptInvitation"), &latchkey__v1__accept_invitation_request__descriptor,
     &latchkey__v1__accept_invitation_response__descriptor, APP_OPEN_MUTATION, NULL,
     invitation_link_rpc_accept},
};

static const struct mail_kind mail_kinds[] = {{INVITATION_MAIL_KIND, invitation_mail_render}};

static enum status check(char *ret_error, size_t error_size) {
    bool has_server = mail_settings.smtp_url && *mail_settings.smtp_url;
    if (!has_server || invitation_settings.url)
        return STATUS_OK;
    snprintf(ret_error, error_size,
             "--smtp-url is set: name the page on which invitations are accepted with --invitation-url");
    return STATUS_INVALID;
}

static enum status start(struct app *app, char *ret_error, size_t error_size) {
    (void)app;
    enum status status = invitation_link_start();
    if (status != STATUS_OK)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
}

static void stop(struct app *app) {
    (void)app;
    invitation_link_stop();
}

void invitation_service_set_default_url(const char *url) {
    if (!invitation_settings.url)
        invitation_settings.url = url && *url ? url : NULL;
}

const struct app_service invitation_service = {
    .name = "latchkey.v1.InvitationService",
    .methods = methods,
    .method_count = ARRAY_LENGTH(methods),
    .screen = invitation_link_rpc_screen,
    .mail_kinds = mail_kinds,
    .mail_kind_count = ARRAY_LENGTH(mail_kinds),
    .settings = invitation_setting_table,
    .setting_count = INVITATION_SETTING_COUNT,
    .settings_base = &invitation_settings,
    .check = check,
    .start = start,
    .stop = stop,
};
