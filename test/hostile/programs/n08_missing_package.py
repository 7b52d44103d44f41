# row: N8
# does: imports a package that is not there
# expect: import_error

import a_package_that_nobody_has
