// SPDX-License-Identifier: BSL-1.0
// The sessions whose instantiation the tests leave to this file.
#include "support/precompiled.hpp"

template class ehlo::basic_client_session<ehlo::growing_storage>;
template class ehlo::basic_server_session<ehlo::growing_storage>;
