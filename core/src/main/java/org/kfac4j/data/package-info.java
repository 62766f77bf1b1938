/**
 * Examples, where they come from, and which of them a batch holds. Depends on no other package of
 * kfac4j but the root.
 */
@NullMarked
package org.kfac4j.data;

import org.jspecify.annotations.NullMarked;
