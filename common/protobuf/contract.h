// The methods of the contract that whoever asks for people calls (the command line, the console): unary, each
// with the server that has it where the servers are programs of their own. Without generated types.
#ifndef LATCHKEY_COMMON_PROTOBUF_CONTRACT_H
#define LATCHKEY_COMMON_PROTOBUF_CONTRACT_H

#include <stdbool.h>

// Id, server, service, method, and the method as generated code spells it.
#define CONTRACT_TABLE(X)                                                                                   \
    X(CREATE_ACCESS_TOKEN, TOKEN, TokenService, CreateAccessToken, create_access_token)                     \
    X(IMPORT_ACCESS_TOKENS, TOKEN, TokenService, ImportAccessTokens, import_access_tokens)                  \
    X(GET_ACCESS_TOKEN, TOKEN, TokenService, GetAccessToken, get_access_token)                              \
    X(LIST_ACCESS_TOKENS, TOKEN, TokenService, ListAccessTokens, list_access_tokens)                        \
    X(UPDATE_ACCESS_TOKEN, TOKEN, TokenService, UpdateAccessToken, update_access_token)                     \
    X(DEACTIVATE_ACCESS_TOKEN, TOKEN, TokenService, DeactivateAccessToken, deactivate_access_token)         \
    X(DEACTIVATE_ACCESS_TOKENS, TOKEN, TokenService, DeactivateAccessTokens, deactivate_access_tokens)      \
    X(SUSPEND_ACCESS_TOKEN, TOKEN, TokenService, SuspendAccessToken, suspend_access_token)                  \
    X(RESUME_ACCESS_TOKEN, TOKEN, TokenService, ResumeAccessToken, resume_access_token)                     \
    X(ROTATE_ACCESS_TOKEN, TOKEN, TokenService, RotateAccessToken, rotate_access_token)                     \
    X(CREATE_LOGIN_TOKEN, TOKEN, TokenService, CreateLoginToken, create_login_token)                        \
    X(LIST_RECENT_AUTHENTICATIONS, TOKEN, TokenService, ListRecentAuthentications,                          \
      list_recent_authentications)                                                                          \
    X(DEACTIVATE_LOGIN_TOKEN, TOKEN, TokenService, DeactivateLoginToken, deactivate_login_token)            \
    X(DEACTIVATE_MEMBER_LOGINS, TOKEN, TokenService, DeactivateMemberLogins, deactivate_member_logins)      \
    X(LIST_PERMISSIONS, TOKEN, TokenService, ListPermissions, list_permissions)                             \
    X(SET_PERMISSIONS, TOKEN, TokenService, SetPermissions, set_permissions)                                \
    X(GET_CALLER, TOKEN, TokenService, GetCaller, get_caller)                                               \
    X(REPORT_LEAKED_TOKEN, TOKEN, TokenService, ReportLeakedToken, report_leaked_token)                     \
    X(GET_WHITELIST, WHITELIST, WhitelistService, GetWhitelist, get_whitelist)                              \
    X(UPDATE_WHITELIST, WHITELIST, WhitelistService, UpdateWhitelist, update_whitelist)                     \
    X(ADD_WHITELIST_ENTRIES, WHITELIST, WhitelistService, AddWhitelistEntries, add_whitelist_entries)       \
    X(UPDATE_WHITELIST_ENTRY, WHITELIST, WhitelistService, UpdateWhitelistEntry, update_whitelist_entry)    \
    X(REMOVE_WHITELIST_ENTRIES, WHITELIST, WhitelistService, RemoveWhitelistEntries,                        \
      remove_whitelist_entries)                                                                             \
    X(LIST_WHITELIST_ENTRIES, WHITELIST, WhitelistService, ListWhitelistEntries, list_whitelist_entries)    \
    X(CHECK_IP, WHITELIST, WhitelistService, CheckIp, check_ip)                                             \
    X(CREATE_WHITELIST_DRAFT, WHITELIST, WhitelistService, CreateWhitelistDraft, create_whitelist_draft)    \
    X(GET_WHITELIST_DRAFT, WHITELIST, WhitelistService, GetWhitelistDraft, get_whitelist_draft)             \
    X(DISCARD_WHITELIST_DRAFT, WHITELIST, WhitelistService, DiscardWhitelistDraft, discard_whitelist_draft) \
    X(PREVIEW_WHITELIST, WHITELIST, WhitelistService, PreviewWhitelist, preview_whitelist)                  \
    X(PUBLISH_WHITELIST_DRAFT, WHITELIST, WhitelistService, PublishWhitelistDraft, publish_whitelist_draft) \
    X(CONFIRM_WHITELIST, WHITELIST, WhitelistService, ConfirmWhitelist, confirm_whitelist)                  \
    X(CREATE_INVITATIONS, INVITATION, InvitationService, CreateInvitations, create_invitations)             \
    X(GET_INVITATION, INVITATION, InvitationService, GetInvitation, get_invitation)                         \
    X(LIST_INVITATIONS, INVITATION, InvitationService, ListInvitations, list_invitations)                   \
    X(RESEND_INVITATION, INVITATION, InvitationService, ResendInvitation, resend_invitation)                \
    X(DEACTIVATE_INVITATION, INVITATION, InvitationService, DeactivateInvitation, deactivate_invitation)    \
    X(LOOKUP_INVITATION, INVITATION, InvitationService, LookupInvitation, lookup_invitation)                \
    X(ACCEPT_INVITATION, INVITATION, InvitationService, AcceptInvitation, accept_invitation)                \
    X(LIST_MEMBERS, INVITATION, MemberService, ListMembers, list_members)                                   \
    X(GET_MEMBER, INVITATION, MemberService, GetMember, get_member)                                         \
    X(CREATE_MEMBER, INVITATION, MemberService, CreateMember, create_member)                                \
    X(UPDATE_MEMBER, INVITATION, MemberService, UpdateMember, update_member)                                \
    X(REMOVE_MEMBER, INVITATION, MemberService, RemoveMember, remove_member)                                \
    X(LIST_ROLES, INVITATION, MemberService, ListRoles, list_roles)                                         \
    X(CREATE_ROLE, INVITATION, MemberService, CreateRole, create_role)                                      \
    X(UPDATE_ROLE, INVITATION, MemberService, UpdateRole, update_role)                                      \
    X(DELETE_ROLE, INVITATION, MemberService, DeleteRole, delete_role)                                      \
    X(CREATE_COMPANY, INVITATION, CompanyService, CreateCompany, create_company)                            \
    X(GET_COMPANY, INVITATION, CompanyService, GetCompany, get_company)                                     \
    X(LIST_COMPANIES, INVITATION, CompanyService, ListCompanies, list_companies)                            \
    X(UPDATE_COMPANY, INVITATION, CompanyService, UpdateCompany, update_company)                            \
    X(SUSPEND_COMPANY, INVITATION, CompanyService, SuspendCompany, suspend_company)                         \
    X(RESUME_COMPANY, INVITATION, CompanyService, ResumeCompany, resume_company)                            \
    X(LIST_AUDIT_EVENTS, TOKEN, AuditService, ListAuditEvents, list_audit_events)                           \
    X(VERIFY_AUDIT_LOG, TOKEN, AuditService, VerifyAuditLog, verify_audit_log)                              \
    X(VALIDATE, VALIDATOR, ValidationService, Validate, validate)                                           \
    X(EXPLAIN, VALIDATOR, ValidationService, Explain, explain)                                              \
    X(LIST_DENIALS, VALIDATOR, ValidationService, ListDenials, list_denials)

// Whether the method of that path ("/service/method") changes nothing, by its name.
bool contract_is_reading(const char *path);

#endif
