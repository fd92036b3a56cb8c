use super::http_connection::Response;
use super::request_record::RequestRecord;
use super::state::State;

/// The revocation response: 200 whether the token was known or not (RFC 7009 section 2.2).
pub(crate) fn answer(state: &mut State, request: &RequestRecord) -> Response {
    if request.method != "POST" {
        return Response::text(405, "POST only\n").with_header("Allow", "POST");
    }
    if let Some(token) = request.parameter("token") {
        state.grants.revoke(token);
    }
    Response::text(200, "")
}
