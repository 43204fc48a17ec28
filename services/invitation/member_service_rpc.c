// The tables of MemberService.
#include "latchkey/v1/member.pb-c.h"
#include "services/invitation/invitation_service.h"
#include "services/invitation/member_rpc.h"
#include "services/invitation/role_rpc.h"

#define PATH(method) "/latchkey.v1.MemberService/" method

static const struct app_method methods[] = {
    {PATH("ListMembers"), &latchkey__v1__list_members_request__descriptor,
     &latchkey__v1__list_members_response__descriptor, APP_READ, "latchkey.members.read", member_rpc_list},
    {PATH("GetMember"), &latchkey__v1__get_member_request__descriptor,
     &latchkey__v1__get_member_response__descriptor, APP_READ, NULL, member_rpc_get},
    {PATH("CreateMember"), &latchkey__v1__create_member_request__descriptor,
     &latchkey__v1__create_member_response__descriptor, APP_MUTATION, "latchkey.members.manage",
     member_rpc_create},
    {PATH("UpdateMember"), &latchkey__v1__update_member_request__descriptor,
     &latchkey__v1__update_member_response__descriptor, APP_MUTATION, "latchkey.members.manage",
     member_rpc_update},
    {PATH("RemoveMember"), &latchkey__v1__remove_member_request__descriptor,
     &latchkey__v1__remove_member_response__descriptor, APP_MUTATION, "latchkey.members.manage",
     member_rpc_remove},
    {PATH("ListRoles"), &latchkey__v1__list_roles_request__descriptor,
     &latchkey__v1__list_roles_response__descriptor, APP_READ, "latchkey.members.read", role_rpc_list},
    {PATH("CreateRole"), &latchkey__v1__create_role_request__descriptor,
     &latchkey__v1__create_role_response__descriptor, APP_MUTATION, "latchkey.members.manage",
     role_rpc_create},
    {PATH("UpdateRole"), &latchkey__v1__update_role_request__descriptor,
     &latchkey__v1__update_role_response__descriptor, APP_MUTATION, "latchkey.members.manage",
     role_rpc_update},
    {PATH("DeleteRole"), &latchkey__v1__delete_role_request__descriptor,
     &latchkey__v1__delete_role_response__descriptor, APP_MUTATION, "latchkey.members.manage",
     role_rpc_delete},
};

const struct app_service member_service = {
    .name = "latchkey.v1.MemberService",
    .methods = methods,
    .method_count = ARRAY_LENGTH(methods),
};
